"""Making, changing and closing rooms."""

import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from chat import access, log
from chat.actions.authors import Author, authors_of
from chat.models import GuestPolicy, Kind, Membership, Role, Room, RoomKind
from chatproject.errors import AppError, Code

_MAX_SLUG_CHARS = 50


@dataclass(frozen=True, slots=True)
class RoomChanges:
    """What to change in a room; None leaves a field as it is."""

    name: str | None = None
    topic: str | None = None
    kind: str | None = None
    guest_policy: str | None = None
    slow_mode_seconds: int | None = None


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
    room.name, room.topic = _line(name), _line(topic)
    room.slug = slug or _free_slug(room.name)
    _validate(room)
    try:
        with transaction.atomic():
            room.save()
            Membership.objects.create(room=room, user=owner, role=Role.OWNER)
            entry = log.Entry(Kind.MEMBER_JOINED, owner.pk, subject=owner, data={"role": Role.OWNER})
            log.append(room, [entry], at=authors_of(room, {owner.pk})[owner.pk].now)
    except IntegrityError as error:
        made = Room.objects.filter(created_by=owner, client_id=client_id).first() if client_id else None
        if made is None:
            raise AppError(Code.CONFLICT, fields={"slug": ["This address is taken."]}) from error
        return made
    return room


def update_room(actor: User, room_id: int, changes: RoomChanges) -> Room:
    """Changes a room, by its owner. What changes nothing appends nothing."""
    with transaction.atomic():
        room, author = _managed(actor, room_id)
        before = {name: getattr(room, name) for name in RoomChanges.__slots__}
        for name in RoomChanges.__slots__:
            wanted = getattr(changes, name)
            if wanted is not None:
                setattr(room, name, _line(wanted) if name in {"name", "topic"} else wanted)
        if room.kind == RoomKind.PRIVATE and changes.guest_policy is None:
            room.guest_policy = GuestPolicy.NONE
        changed = [name for name, value in before.items() if getattr(room, name) != value]
        if changed:
            _validate(room)
            room.save(update_fields=changed)
            log.append(room, [log.Entry(Kind.ROOM_UPDATED, actor.pk)], at=author.now)
    return room


def archive_room(actor: User, room_id: int) -> Room:
    """Closes a room for writing; it can still be read, and opened again."""
    with transaction.atomic():
        room, author = _managed(actor, room_id)
        if room.archived_at is None:
            room.archived_at = author.now
            room.save(update_fields=["archived_at"])
            log.append(room, [log.Entry(Kind.ROOM_ARCHIVED, actor.pk)], at=author.now)
    return room


def reopen_room(actor: User, room_id: int) -> Room:
    """Opens an archived room again."""
    with transaction.atomic():
        room, author = _managed(actor, room_id)
        if room.archived_at is not None:
            room.archived_at = None
            room.save(update_fields=["archived_at"])
            log.append(room, [log.Entry(Kind.ROOM_UPDATED, actor.pk)], at=author.now)
    return room


def _managed(actor: User, room_id: int) -> tuple[Room, Author]:
    """The locked room and its manager, as both are now."""
    room = log.lock_room(room_id)
    author = authors_of(room, {actor.pk}).get(actor.pk)
    if author is None:
        raise AppError(Code.UNAUTHENTICATED)
    access.check_may_manage(author.standing)
    return room, author


def _line(raw: str) -> str:
    """One line of text in NFC without control characters around or in it."""
    text = " ".join(unicodedata.normalize("NFC", raw).split())
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cf"} and char not in "\u200c\u200d" for char in text):
        raise AppError(Code.INVALID, "Control characters are not allowed.")
    return text


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
