"""Muting someone in a room, and lifting it."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from chat import access, log
from chat.actions.authors import Author, authors_of
from chat.models import Kind, Room, Sanction, SanctionKind
from chatproject.errors import AppError, Code


def mute_member(
    actor: User, room_id: int, user_id: int, *, reason: str, until: datetime | None = None
) -> Sanction:
    """Forbids someone to write in a room, ``until`` then or for ever; replaces a mute in force.

    By moderators of the room and by staff. The log tells the kind only, never the reason.
    """
    with transaction.atomic():
        room, author, target = _locked(actor, room_id, user_id)
        access.check_may_moderate(author.standing)
        if not access.outranks(author.standing, target.standing.role) or actor.pk == user_id:
            raise AppError(Code.FORBIDDEN)
        if not reason.strip():
            raise AppError(Code.INVALID, fields={"reason": ["Give a reason."]})
        if until is not None and until <= author.now:
            raise AppError(Code.INVALID, fields={"until": ["It must end after it begins."]})
        _in_force(room, user_id).update(lifted_at=author.now)
        sanction = Sanction.objects.create(
            room=room,
            user=target.user,
            reason=reason.strip(),
            by=author.user,
            created_at=author.now,
            ends_at=until,
        )
        _append(room, Kind.MEMBER_SANCTIONED, author, target)
    return sanction


def lift_mute(actor: User, room_id: int, user_id: int) -> None:
    """Lets someone write again; nothing happens when they may."""
    with transaction.atomic():
        room, author, target = _locked(actor, room_id, user_id)
        access.check_may_moderate(author.standing)
        if _in_force(room, user_id).update(lifted_at=author.now):
            _append(room, Kind.MEMBER_UNSANCTIONED, author, target)


def _locked(actor: User, room_id: int, user_id: int) -> tuple[Room, Author, Author]:
    room = log.lock_room(room_id)
    found = authors_of(room, {actor.pk, user_id})
    if actor.pk not in found:
        raise AppError(Code.UNAUTHENTICATED)
    if user_id not in found:
        raise AppError(Code.NOT_FOUND)
    return room, found[actor.pk], found[user_id]


def _in_force(room: Room, user_id: int) -> QuerySet[Sanction]:
    return Sanction.objects.filter(room=room, user_id=user_id, kind=SanctionKind.MUTE, lifted_at__isnull=True)


def _append(room: Room, kind: Kind, author: Author, target: Author) -> None:
    entry = log.Entry(kind, author.user.pk, subject=target.user, data={"kind": SanctionKind.MUTE})
    log.append(room, [entry], at=author.now)
