"""What the tests of the desk stand on: a public and a private room with one of everything, and staff."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from chat import roles
from chat.actions import ruleset
from chat.actions.messages import delete_message, edit_message
from chat.actions.posting import post_message
from chat.actions.reports import Target, report
from chat.actions.rules import RuleFields, save_rule
from chat.audit import Why
from chat.models import AutomodHit, AutomodRule, HeldMessage, Message, ModerationAction, Report, RoomKind
from tests.cast import Cast, cast, person

STAFF = {
    "plain staff": None,
    "moderator": roles.MODERATORS,
    "room manager": roles.ROOM_MANAGERS,
    "support": roles.SUPPORT,
    "administrator": roles.ADMINISTRATORS,
}


def employ(group: str | None = None, *, root: bool = False) -> User:
    """A member of staff, of one of the groups or with everything."""
    user = person("staff")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=root)
    if group is not None:
        user.groups.add(Group.objects.get(name=group))
    return User.objects.get(pk=user.pk)


def browser_of(user: User | None) -> Client:
    """Their browser; None is a visitor without a name."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def say(author: User, room: int, body: str) -> Message:
    """A message in the room, as anybody would send it."""
    posted = post_message(author, room, client_id=uuid.uuid4(), body=body)
    return Message.objects.get(pk=posted.message_id)  # type: ignore[union-attr]


@dataclass
class Scene:
    """A room, and one of everything in it. ``said`` was reported, ``gone`` was removed, ``held`` waits."""

    cast: Cast
    said: Message
    gone: Message
    held: HeldMessage
    hit: AutomodHit
    report: Report


def scene(root: User, *, kind: str = RoomKind.PUBLIC, mark: str = "") -> Scene:
    """``mark`` stands in every text, to be looked for."""
    people = cast(kind=kind)
    room = people.room.pk
    said = say(people.bob, room, f"first words {mark}")
    edit_message(people.bob, said.pk, body=f"these words {mark}")
    gone = say(people.bob, room, f"to be removed {mark}")
    delete_message(people.alice, gone.pk, why=Why("spam", "Twice today"))
    hold_word(root, room)
    post_message(people.bob, room, client_id=uuid.uuid4(), body=f"forbiddenword {mark}")
    held = HeldMessage.objects.get(room=room)
    made = report(people.olga, Target(message_id=said.pk), why=Why("harassment", f"look at this {mark}"))
    return Scene(people, said, gone, held, AutomodHit.objects.get(room=room), made)


def hold_word(root: User, room: int | None, word: str = "forbiddenword") -> AutomodRule:
    """A live rule that holds messages with ``word``."""
    fields = RuleFields(name="No such word", kind="words", action="hold", room_id=room, words=word, live=True)
    rule = save_rule(root, None, fields)
    forget_rules()
    return rule


def forget_rules() -> None:
    """After a rollback the same version may be of other rules."""
    ruleset._cached = None


def last_action(kind: str) -> ModerationAction:
    """The newest of this kind."""
    found = ModerationAction.objects.filter(kind=kind).order_by("-id").first()
    assert found is not None, kind
    return found


def page(browser: Client, name: str, /, *args: Any, **query: Any) -> Any:
    """A page of the admin."""
    return browser.get(reverse(f"admin:{name}", args=args), query)


def press(browser: Client, name: str, /, *args: Any, **sent: Any) -> Any:
    """Presses a button there and follows to the page after it."""
    return browser.post(reverse(f"admin:{name}", args=args), sent, follow=True)


def text(response: Any) -> str:
    """What a page says, as HTML."""
    decoded: str = response.content.decode()
    return decoded
