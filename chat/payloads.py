"""The shapes that leave the platform, and the one function that builds each.

REST, sockets and pages all send these. Instants are RFC 3339, UTC, with microseconds.
"""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from accounts.models import User
from chat.models import HeldMessage, Kind, Message, Room, RoomEvent

MAX_UNREAD = 100


class Person(msgspec.Struct, frozen=True):
    """What everyone may know of someone."""

    id: int
    display_name: str
    is_guest: bool


class MessagePayload(msgspec.Struct, frozen=True):
    """A message as it is now. A deleted one keeps its place and has neither body nor html."""

    id: int
    room: int
    seq: int
    client_id: str
    author: Person
    body: str
    html: str
    reply_to: int | None
    created_at: str
    edited_at: str | None
    deleted_at: str | None
    deleted_by: Literal["author", "moderator"] | None


class HeldPayload(msgspec.Struct, frozen=True):
    """A message that waits for a moderator: only its author and the moderators see it.

    ``why`` is ``policy`` where all guests wait, else ``automod``; ``rule`` names it for moderators only.
    """

    id: int
    room: int
    client_id: str
    author: Person
    body: str
    html: str
    reply_to: int | None
    created_at: str
    state: str
    why: Literal["policy", "automod"]
    rule: str | None = None


class RestrictionPayload(msgspec.Struct, frozen=True):
    """The mute that binds the caller in a room."""

    kind: str
    reason: str
    ends_at: str | None


class RoomPayload(msgspec.Struct, frozen=True):
    """A room as everyone who may see it sees it; ``slow_mode`` in seconds, 0 for off."""

    id: int
    slug: str
    name: str
    topic: str
    kind: str
    guest_policy: str
    slow_mode: int
    hide_after_reports: int
    archived_at: str | None
    head: int


class Preview(msgspec.Struct, frozen=True):
    """The newest message of a room, for a list: who, the beginning of the plain text, when."""

    author: str
    text: str
    at: str


class MyRoomPayload(RoomPayload, frozen=True):
    """A room with what it is to the caller. ``unread`` stops at 100; ``role`` is null outside.

    ``rights`` are those of ``write``, ``moderate``, ``sanction`` and ``manage`` that the caller has here.
    ``restriction`` is the mute that binds them; ``preview`` is set in lists only.
    """

    role: str | None
    read: int
    unread: int
    rights: list[str]
    preview: Preview | None = None
    restriction: RestrictionPayload | None = None


class MemberPayload(msgspec.Struct, frozen=True):
    """Someone in a room."""

    user: Person
    role: str
    joined_at: str


class EventPayload(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    """One event of a room's log: a frame on the socket, an item of REST's ``events``."""

    room: int
    seq: int
    kind: str
    at: str
    actor: int | None
    data: dict[str, Any]


encode = msgspec.json.Encoder().encode


def instant(moment: datetime) -> str:
    """``moment`` on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def person_payload(user: User) -> Person:
    """What everyone may know of ``user``."""
    return Person(user.pk, user.display_name, user.is_guest)


def message_payload(message: Message) -> MessagePayload:
    """``message`` as it is now; ``message.author`` should be loaded."""
    deleted = message.deleted_at is not None
    by: Literal["author", "moderator"] | None = None
    if deleted:
        by = "author" if message.deleted_by_id == message.author_id else "moderator"
    return MessagePayload(
        id=message.pk,
        room=message.room_id,
        seq=message.seq,
        client_id=str(message.client_id),
        author=person_payload(message.author),
        body="" if deleted else message.body,
        html="" if deleted else message.html,
        reply_to=message.reply_to_id,
        created_at=instant(message.created_at),
        edited_at=instant(message.edited_at) if message.edited_at else None,
        deleted_at=instant(message.deleted_at) if message.deleted_at else None,
        deleted_by=by,
    )


def room_payload(room: Room) -> RoomPayload:
    """``room`` as everyone who may see it sees it."""
    return RoomPayload(**_room_fields(room))


def my_room_payload(room: Room, **mine: Any) -> MyRoomPayload:
    """``room`` with what it is to one person: the fields of MyRoomPayload that RoomPayload has not."""
    return MyRoomPayload(**_room_fields(room), **mine)


def held_payload(held: HeldMessage, *, to_moderator: bool) -> HeldPayload:
    """``held`` for its author or a moderator; ``author`` and ``rule`` should be loaded."""
    return HeldPayload(
        id=held.pk,
        room=held.room_id,
        client_id=str(held.client_id),
        author=person_payload(held.author),
        body=held.body,
        html=held.html,
        reply_to=held.reply_to_id,
        created_at=instant(held.created_at),
        state=held.state,
        why="automod" if held.rule_id else "policy",
        rule=held.rule.name if to_moderator and held.rule else None,
    )


def event_payload(event: RoomEvent) -> EventPayload:
    """``event`` with the state of what it names as it is now; its relations should be loaded."""
    return EventPayload(
        room=event.room_id,
        seq=event.seq,
        kind=event.kind,
        at=instant(event.created_at),
        actor=event.actor_id,
        data=_event_data(event),
    )


def _room_fields(room: Room) -> dict[str, Any]:
    return {
        "id": room.pk,
        "slug": room.slug,
        "name": room.name,
        "topic": room.topic,
        "kind": str(room.kind),
        "guest_policy": str(room.guest_policy),
        "slow_mode": room.slow_mode_seconds,
        "hide_after_reports": room.hide_after_reports,
        "archived_at": instant(room.archived_at) if room.archived_at else None,
        "head": room.last_seq,
    }


def _event_data(event: RoomEvent) -> dict[str, Any]:
    if event.kind.startswith("message.") and event.message is not None:
        return {"message": message_payload(event.message)}
    if event.kind.startswith("member.") and event.subject is not None:
        return {"user": person_payload(event.subject), **event.data}
    if event.kind in {Kind.ROOM_UPDATED, Kind.ROOM_ARCHIVED}:
        return {"room": room_payload(event.room)}
    raise ValueError(f"event {event.pk} of kind {event.kind} names nothing")
