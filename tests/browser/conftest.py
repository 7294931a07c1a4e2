"""The browser of these tests: Debian's chromium, driven by playwright."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from accounts.models import User
from tests.browser.aside import aside, close_connections
from tests.cast import session_for

# The bound of a wait, also on a busy machine.
expect.set_options(timeout=15_000)

_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    """Chromium from the system; without one the run fails and says what to install."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.exit("The browser tests need chromium: apt-get install chromium", returncode=3)
    return playwright.chromium.launch(executable_path=path, args=_ARGS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each takes contexts of its own."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a person of its own, in the server's zone and region."""
    context = browser.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 1280, "height": 860})
    yield context.new_page()
    context.close()


class Visitor:
    """Someone at a browser of their own, and what their console has said against the page.

    A browser notes each request that is refused or finds no network: ``may_note`` is a pattern of the notes
    that a test provokes.
    """

    def __init__(self, context: BrowserContext, *, may_note: str | None) -> None:
        self.context = context
        self.may_note = may_note
        self.complaints: list[str] = []
        context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"{error.error}"))
        self.page = context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        expected = self.may_note is not None and re.search(self.may_note, message.text)
        if message.type in {"error", "warning"} and not expected:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """``visit(user, url)``: a person, or with None a visitor without a name, opens a page.

    More arguments are those of a browser context. Fails the test if a console was not clean.
    """
    visitors: list[Visitor] = []

    def arrive(user: User | None, url: str, *, may_note: str | None = None, **options: Any) -> Visitor:
        shape = {"locale": "en-GB", "timezone_id": "UTC", "viewport": {"width": 1280, "height": 860}}
        context = browser.new_context(**{**shape, **options})
        if user is not None:
            cookie = {
                "name": settings.SESSION_COOKIE_NAME,
                "value": aside(session_for)(user),
                "url": urljoin(url, "/"),
            }
            context.add_cookies([cookie])  # type: ignore[list-item]
        visitors.append(Visitor(context, may_note=may_note))
        visitors[-1].page.goto(url)
        return visitors[-1]

    yield arrive
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    close_connections()
    assert complaints == []
