"""Banning someone and hiding what they wrote, in one step."""

from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from chat import access, audit, log
from chat.actions.changing import checked
from chat.actions.sanctions import impose_unrecorded, imposed_before
from chat.actions.scene import Scene, hold_scene
from chat.audit import Deed, Why
from chat.models import Kind, Message, ModerationAction, Room, Sanction, SanctionKind
from chat.payloads import instant
from chat.standing import staff_may
from chatproject.errors import AppError, Code

CLEANED_UP = "person.cleaned_up"
# More than this in one step would keep rooms locked too long; the step can be repeated.
MAX_SWEPT = 5000


def ban_and_clean_up(
    actor: User,
    user_id: int,
    *,
    since: datetime,
    room_id: int | None = None,
    why: Why | None = None,
    until: datetime | None = None,
    client_id: UUID | None = None,
) -> ModerationAction:
    """Bans someone, in a room or everywhere, and takes away all they have written there ``since`` then.

    One entry of the audit, which takes back both; with a ``client_id`` used before, the entry made then.
    Raises AppError TOO_LARGE above MAX_SWEPT messages.
    """
    reason = checked(why)
    with transaction.atomic():
        rooms = _lock_rooms({room_id} if room_id else _rooms_since(user_id, since))
        scene = hold_scene(actor, user_id, room_id)
        if not _may_take_away(actor, scene.room):
            raise AppError(Code.FORBIDDEN)
        if (ban := imposed_before(actor, client_id)) is not None:
            return _clean_up_with(ban)
        # Read under the locks. What is written meanwhile in a room that had nothing before stays.
        messages = [one for one in messages_since(user_id, since, room_id) if one.room_id in rooms]
        before = scene.state(SanctionKind.BAN) | {"removed": []}
        impose_unrecorded(scene, kind=SanctionKind.BAN, why=reason, until=until, client_id=client_id)
        _sweep(messages, rooms, scene, deleted_at=scene.now)
        removed = {"removed": [message.pk for message in messages], "at": instant(scene.now)}
        after = scene.state(SanctionKind.BAN) | removed
        deed = Deed(CLEANED_UP, f"person:{user_id}", room_id, user_id, before=before, after=after)
        return audit.record(actor, deed, reason)


def _clean_up_with(ban: Sanction) -> ModerationAction:
    found = ModerationAction.objects.filter(
        kind=CLEANED_UP, subject=ban.user_id, after__in_force__contains=[ban.pk]
    ).first()
    if found is None:
        raise AppError(Code.CONFLICT, fields={"client_id": ["This id is in use."]})
    return found


def messages_since(user_id: int, since: datetime, room_id: int | None) -> list[Message]:
    """What ``ban_and_clean_up`` would take away. Raises AppError TOO_LARGE."""
    found = _since(user_id, since)
    if room_id is not None:
        found = found.filter(room_id=room_id)
    messages = list(found.select_related("author").order_by("room_id", "seq")[: MAX_SWEPT + 1])
    if len(messages) > MAX_SWEPT:
        raise AppError(Code.TOO_LARGE, f"These are more than {MAX_SWEPT} messages. Choose a later time.")
    return messages


def _since(user_id: int, since: datetime) -> QuerySet[Message]:
    return Message.objects.by_author(user_id).filter(created_at__gte=since, deleted_at__isnull=True)


def _rooms_since(user_id: int, since: datetime) -> set[int]:
    return set(_since(user_id, since).values_list("room_id", flat=True).distinct())


def _may_take_away(actor: User, room: Room | None) -> bool:
    """Who may ban may not always remove messages: these are two permissions of staff."""
    if room is None:
        return staff_may(actor, access.MODERATE)
    return access.may_moderate_messages(access.standing_in(room, actor))


def put_clean_up(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Lifts or imposes the ban again, and brings back or takes away the same messages."""
    assert action.subject_id is not None  # noqa: S101
    swept = set(wanted["removed"]) ^ set(expected["removed"])
    found = Message.objects.filter(pk__in=swept).select_related("author").order_by("room_id", "seq")
    own_room = {action.room_id} if action.room_id else set()
    rooms = _lock_rooms(set(found.values_list("room_id", flat=True)) | own_room)
    scene = hold_scene(actor, action.subject_id, action.room_id)
    if not _may_take_away(actor, scene.room):
        raise AppError(Code.FORBIDDEN)
    scene.put(wanted, expected, kind=SanctionKind.BAN)
    # A message that was brought back or taken away by itself since stays as it is.
    was, becomes = (
        datetime.fromisoformat(state["at"]) if state["removed"] else None for state in (expected, wanted)
    )
    _sweep(list(found.filter(deleted_at=was)), rooms, scene, deleted_at=becomes)


def _lock_rooms(room_ids: set[int]) -> dict[int, Room]:
    """In one order, so that two who sweep never wait for each other."""
    return {room_id: log.lock_room(room_id) for room_id in sorted(room_ids)}


def _sweep(
    messages: list[Message], rooms: dict[int, Room], scene: Scene, *, deleted_at: datetime | None
) -> None:
    actor_id = scene.actor.pk if scene.actor else None
    deleted_by = actor_id if deleted_at else None
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(
        deleted_at=deleted_at, deleted_by_id=deleted_by
    )
    kind = Kind.MESSAGE_DELETED if deleted_at else Kind.MESSAGE_RESTORED
    for room_id, of_room in groupby(messages, key=lambda message: message.room_id):
        entries = []
        for message in of_room:
            message.room = rooms[room_id]
            message.deleted_at, message.deleted_by_id = deleted_at, deleted_by
            entries.append(log.Entry(kind, actor_id, message=message))
        # The room as it is now: the ban has its own place in the log.
        log.append(rooms[room_id] if scene.room is None else scene.room, entries, at=scene.now)
