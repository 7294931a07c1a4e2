"""Takes docs/images/room.png, the picture of the README, from the running product.

.venv/bin/python -m chatproject.launcher run --ephemeral -- .venv/bin/python -m tests.browser.picture
"""

import tempfile
import uuid
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings
from django.db.models import F
from playwright.sync_api import Browser, expect, sync_playwright

from tests import services

OUTPUT = services.ROOT / "docs/images/room.png"
HOUR = timedelta(hours=1)

# Who, how many minutes before now, what; a number before the words is the line that is answered.
LOBBY = [
    ("Mei-Lin Hsu", 41, "Does anyone have the script that renames the scans? Mine eats every second page."),
    (
        "Tomasz Wilk",
        38,
        "Sort by number, not by name:\n\n```python\n"
        "for page in sorted(scans, key=lambda page: page.number):\n"
        '    page.rename(folder / f"{page.number:04}.png")\n```',
    ),
    ("Mei-Lin Hsu", 36, (1, "So *that* was it. `page10` came before `page2`.")),
    ("Amara Obi", 14, "Are visitors welcome on **Thursday**, or is it members only?"),
    ("Ines Carvalho", 12, (3, "Everyone is. Bring a friend, we have chairs for thirty.")),
    ("Amara Obi", 11, "Lovely, then we are three."),
    ("You", 5, "I can bring the projector and the long cable."),
    ("Ines Carvalho", 2, "You are a treasure. The room is ours from six."),
]
GUEST = "Amara Obi"
OTHERS = [
    (
        "Garden group",
        "What grows, what does not",
        "Luka Šimić",
        ["The tomatoes have arrived", "Who waters on Sunday?"],
        7,
    ),
    ("Board games", "Wednesdays at seven", "Tomasz Wilk", ["I will bring the one with the trains"], 55),
    ("Choir", "Rehearsals and sheet music", "Yara Haddad", ["Page 3 again, from the top"], 130),
    ("Repair café", "Bring what is broken", "Mei-Lin Hsu", ["The toaster lives"], 260),
]


def main() -> None:
    """A server of its own with made-up people, and one picture of their lobby."""
    django.setup()
    with services.migrated_clone(), tempfile.TemporaryDirectory() as folder:
        key, path = furnish()
        server = services.serve(Path(folder) / "log")
        try:
            with sync_playwright() as playwright:
                from tests.browser.conftest import launch

                browser = launch(playwright)
                take(browser, server.url, key=key, path=path)
                browser.close()
        finally:
            server.stop()


def furnish() -> tuple[str, str]:
    """Writes the people, rooms and messages; the session of who looks, and the lobby's path."""
    from accounts.actions.guests import create_guest
    from accounts.models import User
    from chat.actions.members import join_room
    from chat.actions.rooms import create_room
    from chat.models import GuestPolicy
    from tests.cast import session_for

    names = {who for who, *_ in LOBBY} | {who for _, _, who, *_ in OTHERS}
    people = {
        name: create_guest(name)
        if name == GUEST
        else User.objects.create_user(f"p{number}", display_name="Noor Bakker" if name == "You" else name)
        for number, name in enumerate(sorted(names))
    }
    you = people["You"]
    lobby = create_room(
        people["Ines Carvalho"],
        name="Lobby",
        topic="Everyone is welcome here",
        guest_policy=GuestPolicy.WRITE,
        slug=f"lobby-{uuid.uuid4().hex[:6]}",
    )
    for user in people.values():
        join_room(user, lobby.pk)
    ids: list[int] = []
    for who, minutes, said in LOBBY:
        answered, body = said if isinstance(said, tuple) else (None, said)
        ids.append(write(people[who], lobby.pk, body, minutes, None if answered is None else ids[answered]))
    read_all(you, lobby.pk)
    for number, (name, topic, who, bodies, minutes) in enumerate(OTHERS):
        room = create_room(people[who], name=name, topic=topic)
        join_room(you, room.pk)
        read_all(you, room.pk)
        for body in bodies:
            write(people[who], room.pk, body, minutes, None)
        if number >= 2:
            read_all(you, room.pk)
    return session_for(you), f"/rooms/{lobby.slug}/"


def write(author: object, room: int, body: str, minutes: int, reply_to: int | None) -> int:
    """A message that seems to be some minutes old; its id."""
    from chat.actions.posting import post_message
    from chat.models import Message

    posted = post_message(author, room, client_id=uuid.uuid4(), body=body, reply_to=reply_to)  # type: ignore[arg-type]
    row = Message.objects.filter(pk=posted.message_id)
    row.update(created_at=F("created_at") - minutes * HOUR / 60)
    return posted.message_id


def read_all(user: object, room: int) -> None:
    """Nothing of the room is unread."""
    from chat.models import Membership, Room

    Membership.objects.filter(user=user, room=room).update(read_seq=Room.objects.get(pk=room).last_seq)


def take(browser: Browser, url: str, *, key: str, path: str) -> None:
    """Opens the lobby and saves what is seen."""
    context = browser.new_context(
        locale="en-GB", timezone_id="UTC", viewport={"width": 1280, "height": 860}, reduced_motion="reduce"
    )
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url}])
    page = context.new_page()
    page.goto(url + path)
    expect(page.locator(".rooms__me-state")).to_have_text("Connected")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT)
    context.close()


if __name__ == "__main__":
    main()
