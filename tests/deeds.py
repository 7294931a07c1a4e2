"""Everything that moderators do, ready to be done: for each kind of action the ways to it.

A way sets the scene at a desk and returns what does it.
"""

from collections.abc import Callable

from accounts.models import User
from chat import access
from chat.actions import (
    accounts,
    holding,
    members,
    messages,
    reports,
    rights,
    rooms,
    rules,
    sanctions,
    sweeping,
)
from chat.actions.rooms import RoomChanges
from chat.actions.rules import RuleFields
from chat.audit import Why
from chat.models import GuestPolicy, HeldMessage, RuleAction, RuleKind, Sanction
from chat.roles import SUPPORT
from chatproject.database import clock
from tests.desk import Desk, post, staff

Do = Callable[[], object]
SPAM = Why("spam", "the same link again")


def said(d: Desk, body: str = "unsayable") -> int:
    return post(d.bob, d.room, body).message_id


def reported(d: Desk, by: User | None = None) -> int:
    return reports.report(by or d.dave, reports.Target(message_id=said(d)), why=SPAM).pk


def held(d: Desk) -> int:
    rooms.update_room(d.olga, d.room.pk, RoomChanges(guest_policy=GuestPolicy.APPROVAL))
    members.leave_room(d.gil, d.room.pk)
    post(d.gil, d.room, "unsayable")
    return HeldMessage.objects.get(room=d.room).pk


def rule(d: Desk, name: str = "No x", **more: object) -> RuleFields:
    fields = {"kind": RuleKind.WORDS, "action": RuleAction.HOLD, "words": "xyzzy", "room_id": d.room.pk}
    return RuleFields(name, **{**fields, **more})


def sanction(d: Desk, by: User, kind: str, room: int | None, **more: object) -> Sanction:
    return sanctions.sanction_person(by, d.bob.pk, kind=kind, room_id=room, why=SPAM, **more)


def after(step: object, do: Do) -> Do:
    """``do``, when ``step`` has been taken."""
    return do


def restored(d: Desk) -> Do:
    message = said(d)
    messages.delete_message(d.alice, message)
    return lambda: messages.restore_message(d.alice, message)


def overruled(d: Desk) -> Do:
    message = said(d)
    messages.delete_message(d.bob, message)
    return lambda: messages.delete_message(d.alice, message)


def lifted(d: Desk, kind: str, room: int | None, by: User) -> Do:
    made = sanction(d, by, kind, room)
    return lambda: sanctions.lift_sanction(by, made.pk)


def imposed(kind: str, *, everywhere: bool = False) -> Callable[[Desk], Do]:
    def scenario(d: Desk) -> Do:
        members.mark_read(d.bob, d.room.pk, seq=2)
        by, room = (d.maude, None) if everywhere else (d.alice, d.room.pk)
        return lambda: sanction(d, by, kind, room)

    return scenario


def replaced(d: Desk) -> Do:
    sanction(d, d.alice, "kick", d.room.pk)
    return lambda: sanction(d, d.alice, "ban", d.room.pk)


def swept(d: Desk, room: int | None, by: User) -> Do:
    since = clock()
    for _ in range(3):
        said(d)
    members.join_room(d.bob, d.elsewhere.pk)
    post(d.bob, d.elsewhere, "unsayable elsewhere")
    return lambda: sweeping.ban_and_clean_up(by, d.bob.pk, since=since, room_id=room, why=SPAM)


def decided(d: Desk, outcome: str) -> Do:
    rooms.update_room(d.olga, d.room.pk, RoomChanges(hide_after_reports=1))
    number = reported(d)
    return lambda: reports.decide_report(d.alice, number, outcome=outcome)


def assigned(d: Desk) -> Do:
    number = reported(d)
    return lambda: reports.assign_report(d.alice, number, assignee=d.olga)


def rejected(d: Desk) -> Do:
    number = held(d)
    return lambda: holding.reject_held(d.alice, number)


def approved(d: Desk) -> Do:
    number = held(d)
    return lambda: holding.approve_held(d.alice, number)


def rule_changed(d: Desk) -> Do:
    made = rules.save_rule(d.maude, None, rule(d, live=True))
    changed = rule(d, words="plugh", action=RuleAction.REPORT)
    return lambda: rules.save_rule(d.maude, made.pk, changed)


def rule_removed(d: Desk) -> Do:
    made = rules.save_rule(d.maude, None, rule(d, live=True))
    return lambda: rules.save_rule(d.maude, made.pk, rule(d, removed=True))


def reopened(d: Desk) -> Do:
    rooms.archive_room(d.olga, d.room.pk)
    return lambda: rooms.reopen_room(d.olga, d.room.pk)


def switched_on(d: Desk) -> Do:
    accounts.switch_account(d.maude, d.bob.pk, active=False)
    return lambda: accounts.switch_account(d.maude, d.bob.pk, active=True)


def appointed(d: Desk) -> Do:
    wanted = rights.Rights(True, False, frozenset({SUPPORT}), frozenset({access.MODERATE}))
    return lambda: rights.change_rights(staff("root", superuser=True), d.bob.pk, wanted)


def changed_room(d: Desk) -> Do:
    changes = RoomChanges(name="New", topic="t", kind="private", slow_mode_seconds=9, hide_after_reports=2)
    return lambda: rooms.update_room(d.olga, d.room.pk, changes)


# kind of action, what about it, the way to it
SCENARIOS: list[tuple[str, str, Callable[[Desk], Do]]] = [
    (messages.DELETED, "", lambda d: after(m := said(d), lambda: messages.delete_message(d.alice, m))),
    (messages.DELETED, "overruling the author", overruled),
    (messages.RESTORED, "", restored),
    (holding.APPROVED, "", approved),
    (holding.REJECTED, "", rejected),
    *((sanctions.IMPOSED, kind, imposed(kind)) for kind in ("warn", "mute", "kick", "ban")),
    *(
        (sanctions.IMPOSED, f"{kind} everywhere", imposed(kind, everywhere=True))
        for kind in ("warn", "mute", "kick", "ban")
    ),
    (sanctions.IMPOSED, "ban for a kick", replaced),
    *(
        (sanctions.LIFTED, kind, lambda d, kind=kind: lifted(d, kind, d.room.pk, d.alice))
        for kind in ("warn", "mute", "kick", "ban")
    ),
    (sanctions.LIFTED, "ban everywhere", lambda d: lifted(d, "ban", None, d.maude)),
    (sweeping.CLEANED_UP, "in a room", lambda d: swept(d, d.room.pk, d.alice)),
    (sweeping.CLEANED_UP, "everywhere", lambda d: swept(d, None, d.maude)),
    (
        members.ROLE_CHANGED,
        "",
        lambda d: lambda: members.change_role(d.olga, d.room.pk, d.bob.pk, role="moderator"),
    ),
    (rooms.UPDATED, "", changed_room),
    (rooms.ARCHIVED, "", lambda d: lambda: rooms.archive_room(d.olga, d.room.pk)),
    (rooms.REOPENED, "", reopened),
    (reports.ASSIGNED, "", assigned),
    (reports.DECIDED, "upheld", lambda d: decided(d, "upheld")),
    (reports.DECIDED, "dismissed", lambda d: decided(d, "dismissed")),
    (rules.SAVED, "made", lambda d: lambda: rules.save_rule(d.maude, None, rule(d, live=True))),
    (rules.SAVED, "changed", rule_changed),
    (rules.SAVED, "removed", rule_removed),
    (
        accounts.SWITCHED,
        "off",
        lambda d: lambda: accounts.switch_account(d.maude, d.bob.pk, active=False),
    ),
    (accounts.SWITCHED, "on", switched_on),
    (rights.CHANGED, "", appointed),
]
