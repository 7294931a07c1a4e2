"""What the tests of the pages share: saying something, finding it again, comparing two drawings."""

import uuid
from html.parser import HTMLParser

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from chat.actions.posting import post_message
from chat.models import Room
from tests.browser.aside import aside


@aside
def say(author: User, room: Room, body: str, *, reply_to: int | None = None) -> int:
    """A message sent by an action; its id."""
    return post_message(author, room.pk, client_id=uuid.uuid4(), body=body, reply_to=reply_to).message_id


def path(room: Room) -> str:
    return f"/rooms/{room.slug}/"


def bodies(page: Page) -> Locator:
    return page.locator(".messages--live .message__body")


def write(page: Page, text: str) -> None:
    page.get_by_label("Message to Tea kitchen").fill(text)
    page.keyboard.press("Enter")


def isolated(name: str) -> str:
    """A name as it stands in plain text: static/js/lib/text.js."""
    return f"\u2068{name}\u2069"


def expect_connected(page: Page) -> None:
    expect(page.locator(".messages--live")).to_be_visible()
    expect(page.locator(".rooms__me-state")).to_have_text("Connected")


class Canonical(HTMLParser):
    """Markup as a list of its tags, sorted attributes and texts: what two spellings of one tree share."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.parts: list[object] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *sorted((name, value or "") for name, value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.parts.append(" ".join(data.split()))


def assert_no_barrier(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    barriers = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
    assert barriers == [], barriers
