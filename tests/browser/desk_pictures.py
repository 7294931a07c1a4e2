"""Takes the pictures of docs/moderating.md from the running product.

.venv/bin/python -m chatproject.launcher run --ephemeral -- .venv/bin/python -m tests.browser.desk_pictures
"""

import tempfile
import uuid
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import services
from tests.browser.picture import furnish, write

FOLDER = services.ROOT / "docs/images"
SPAM = "Cheap watches, two for one: https://watches.example"
SHAPE = {"locale": "en-GB", "timezone_id": "UTC", "viewport": {"width": 1280, "height": 820}}


def main() -> None:
    """A server of its own with made-up people, some of whom misbehave."""
    django.setup()
    with services.migrated_clone(), tempfile.TemporaryDirectory() as folder:
        made = misbehave(furnish()[1])
        server = services.serve(Path(folder) / "log")
        try:
            with sync_playwright() as playwright:
                from tests.browser.conftest import launch

                browser = launch(playwright)
                take_all(browser, server.url, made)
                browser.close()
        finally:
            server.stop()


def misbehave(lobby_path: str) -> dict[str, Any]:
    """Spam, a held message, reports, a sanction; what the pictures need to find them."""
    from accounts.actions.guests import create_guest
    from accounts.models import User
    from chat.actions.posting import post_message
    from chat.actions.reports import Target, report
    from chat.actions.rules import RuleFields, save_rule
    from chat.actions.sanctions import sanction_person
    from chat.audit import Why
    from chat.models import Room
    from tests.cast import session_for

    room = Room.objects.get(slug=lobby_path.split("/")[2])
    root = User.objects.create_superuser("root", display_name="Marlow Reyes", password=None)
    owner = User.objects.get(display_name="Ines Carvalho")
    save_rule(root, None, RuleFields("Followers for sale", "words", "hold", words="buy followers", live=True))
    spammer = create_guest("Watch Outlet")
    spam = write(spammer, room.pk, SPAM, 9, None)
    write(spammer, room.pk, "Last chance for the watches!", 7, None)
    post_message(spammer, room.pk, client_id=uuid.uuid4(), body="Buy followers, a thousand for five")
    for name, text in (("Mei-Lin Hsu", "The same in two other rooms"), ("Tomasz Wilk", "")):
        found = report(User.objects.get(display_name=name), Target(message_id=spam), why=Why("spam", text))
    sanction_person(owner, spammer.pk, kind="mute", room_id=room.pk, why=Why("spam", "Advertising"))
    return {
        "root": session_for(root),
        "owner": session_for(owner),
        "report": found.pk,
        "spammer": spammer.pk,
        "room": room,
    }


def take_all(browser: Browser, url: str, made: dict[str, Any]) -> None:
    """One picture a part of the guide."""
    desk = page_of(browser, url, made["root"])
    save(desk, f"{url}/admin/", "desk.png")
    save(desk, f"{url}/admin/chat/report/{made['report']}/change/", "desk-report.png")
    desk.goto(f"{url}/admin/accounts/user/{made['spammer']}/clean-up/?room={made['room'].pk}")
    desk.get_by_role("button", name="Show what would be hidden").click()
    expect(desk.get_by_role("heading", name="2 messages will be hidden")).to_be_visible()
    desk.screenshot(path=FOLDER / "desk-clean-up.png")
    save(desk, f"{url}/admin/chat/moderationaction/", "desk-audit.png")
    room = page_of(browser, url, made["owner"])
    room.goto(f"{url}/rooms/{made['room'].slug}/")
    expect(room.locator(".rooms__me-state")).to_have_text("Connected")
    room.get_by_role("button", name="wait").click()
    expect(room.locator(".desk__item").first).to_be_visible()
    room.screenshot(path=FOLDER / "room-queue.png")


def page_of(browser: Browser, url: str, key: str) -> Page:
    """A page of someone signed in."""
    context = browser.new_context(**SHAPE, reduced_motion="reduce")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url}])
    return context.new_page()


def save(page: Page, address: str, name: str) -> None:
    """A picture of what is at ``address``."""
    page.goto(address)
    page.screenshot(path=FOLDER / name)


if __name__ == "__main__":
    main()
