"""Making, changing and closing rooms."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from chat import access, audit, log
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged, checked
from chat.audit import Deed, Why
from chat.models import GuestPolicy, Kind, Membership, ModerationAction, Role, Room, RoomKind
from chat.payloads import instant
from chatproject.errors import AppError, Code
from chatproject.lines import clean_line

UPDATED, ARCHIVED, REOPENED = "room.updated", "room.archived", "room.reopened"
_MAX_SLUG_CHARS = 50


@dataclass(frozen=True, slots=True)
class RoomChanges:
    """What to change in a room; None leaves a field as it is."""

    name: str | None = None
    topic: str | None = None
    kind: str | None = None
    guest_policy: str | None = None
    slow_mode_seconds: int | None = None
    hide_after_reports: int | None = None


def create_room(
    owner: User,
    *,
    name: str,
    topic: str = "",
    kind: str = RoomKind.PUBLIC,
    guest_policy: str = GuestPolicy.NONE,
    slug: str | None = None,
    client_id: UUID | None = None,
) -> Room:
    """A new room that ``owner`` owns. With a ``client_id`` used before, the room made then.

    Raises AppError FORBIDDEN for guests, INVALID for bad fields, CONFLICT for a taken slug.
    """
    if owner.is_guest or not owner.is_active:
        raise AppError(Code.FORBIDDEN, "Guests cannot create rooms. Sign up first.")
    room = Room(kind=kind, guest_policy=guest_policy, created_by=owner, client_id=client_id)
    room.name, room.topic = clean_line(name, field="name"), clean_line(topic, field="topic")
    room.slug = slug or _free_slug(room.name)
    _validate(room)
    try:
        with transaction.atomic():
            room.save()
            Membership.objects.create(room=room, user=owner, role=Role.OWNER)
            entry = log.Entry(Kind.MEMBER_JOINED, owner.pk, subject=owner, data={"role": Role.OWNER})
            log.append(room, [entry], at=author_in(room, owner).now)
    except IntegrityError as error:
        made = Room.objects.filter(created_by=owner, client_id=client_id).first() if client_id else None
        if made is None:
            raise AppError(Code.CONFLICT, fields={"slug": ["This address is taken."]}) from error
        return made
    return room


def update_room(actor: User, room_id: int, changes: RoomChanges, *, why: Why | None = None) -> Room:
    """Changes a room, by its owner or staff. What changes nothing appends nothing."""
    why = checked(why)
    with transaction.atomic():
        room, author = _managed(actor, room_id)
        wanted = {name: getattr(changes, name) for name in RoomChanges.__slots__}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        for name in {"name", "topic"} & wanted.keys():
            wanted[name] = clean_line(wanted[name], field=name)
        if wanted.get("kind", room.kind) == RoomKind.PRIVATE and "guest_policy" not in wanted:
            wanted["guest_policy"] = GuestPolicy.NONE
        before = {name: getattr(room, name) for name, value in wanted.items() if getattr(room, name) != value}
        if before:
            after = {name: wanted[name] for name in before}
            _put_settings(room, author, after)
            audit.record(actor, Deed(UPDATED, f"room:{room.pk}", room.pk, before=before, after=after), why)
    return room


def archive_room(actor: User, room_id: int, *, why: Why | None = None) -> Room:
    """Closes a room for writing; it can still be read, and opened again."""
    return _set_archived(actor, room_id, ARCHIVED, checked(why))


def reopen_room(actor: User, room_id: int, *, why: Why | None = None) -> Room:
    """Opens an archived room again."""
    return _set_archived(actor, room_id, REOPENED, checked(why))


def put_room(actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]) -> None:
    """Gives back the settings of a room that were changed; see ``chat.actions.changing``."""
    assert action.room_id is not None  # noqa: S101
    room, author = _managed(actor, action.room_id)
    check_unchanged({name: getattr(room, name) for name in expected}, expected)
    _put_settings(room, author, wanted)


def put_archived(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Closes or opens a room again, as it was; see ``chat.actions.changing``."""
    assert action.room_id is not None  # noqa: S101
    room, author = _managed(actor, action.room_id)
    check_unchanged(_archived(room), expected)
    at = wanted["archived_at"]
    _put_archived(room, author, datetime.fromisoformat(at) if at else None)


def set_watched(room: Room, *, watched: bool) -> None:
    """Whether the jobs of others follow the locked room's log."""
    if room.is_watched != watched:
        room.is_watched = watched
        room.save(update_fields=["is_watched"])


def _set_archived(actor: User, room_id: int, kind: str, why: Why) -> Room:
    with transaction.atomic():
        room, author = _managed(actor, room_id)
        before = _archived(room)
        if (kind == ARCHIVED) == (room.archived_at is None):
            _put_archived(room, author, author.now if kind == ARCHIVED else None)
            deed = Deed(kind, f"room:{room.pk}", room.pk, before=before, after=_archived(room))
            audit.record(actor, deed, why)
    return room


def _archived(room: Room) -> dict[str, str | None]:
    return {"archived_at": instant(room.archived_at) if room.archived_at else None}


def _put_archived(room: Room, author: Author, at: datetime | None) -> None:
    room.archived_at = at
    room.save(update_fields=["archived_at"])
    event = Kind.ROOM_UPDATED if at is None else Kind.ROOM_ARCHIVED
    log.append(room, [log.Entry(event, author.user.pk)], at=author.now)


def _put_settings(room: Room, author: Author, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(room, name, value)
    _validate(room)
    room.save(update_fields=list(values))
    log.append(room, [log.Entry(Kind.ROOM_UPDATED, author.user.pk)], at=author.now)


def _managed(actor: User, room_id: int) -> tuple[Room, Author]:
    """The locked room and its manager, as both are now."""
    room = log.lock_room(room_id)
    author = author_in(room, actor)
    access.check_may_manage(author.standing)
    return room, author


def _free_slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MAX_SLUG_CHARS].strip("-")
    if slug and not Room.objects.filter(slug=slug).exists():
        return slug
    return f"{slug or 'room'}-{uuid4().hex[:8]}"


def _validate(room: Room) -> None:
    try:
        room.full_clean(exclude=["created_by", "client_id"], validate_unique=False)
    except ValidationError as error:
        raise AppError(Code.INVALID, fields=_public_fields(error)) from error


def _public_fields(error: ValidationError) -> dict[str, list[str]]:
    return {
        ("slow_mode" if name == "slow_mode_seconds" else name): words
        for name, words in error.message_dict.items()
    }
