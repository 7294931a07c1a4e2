"""A membership as it can be ended and given back: role, read mark and the day it began."""

from datetime import datetime
from typing import Any

from accounts.models import User
from chat import log
from chat.models import Kind, Membership, Role, Room
from chat.payloads import instant
from chatproject.errors import AppError, Code


def seat_of(room: Room, user: User) -> dict[str, Any] | None:
    """The membership of ``user`` as plain values, None outside."""
    membership = Membership.objects.filter(room=room, user=user).first()
    if membership is None:
        return None
    return {
        "role": membership.role,
        "read_seq": membership.read_seq,
        "joined_at": instant(membership.joined_at),
    }


def end_seat(room: Room, user: User, *, actor_id: int | None, at: datetime) -> None:
    """Ends the membership, where there is one. The last owner stays (AppError CONFLICT)."""
    membership = Membership.objects.filter(room=room, user=user).first()
    if membership is None:
        return
    check_owner_remains(room, membership.role)
    membership.delete()
    log.append(room, [log.Entry(Kind.MEMBER_LEFT, actor_id, subject=user)], at=at)


def put_seat(
    room: Room, user: User, seat: dict[str, Any] | None, *, actor_id: int | None, at: datetime
) -> None:
    """Gives back what ``seat_of`` has told, or ends the membership where that was None."""
    if seat is None:
        end_seat(room, user, actor_id=actor_id, at=at)
        return
    values = {**seat, "joined_at": datetime.fromisoformat(seat["joined_at"])}
    Membership.objects.update_or_create(room=room, user=user, defaults=values)
    entry = log.Entry(Kind.MEMBER_JOINED, actor_id, subject=user, data={"role": seat["role"]})
    log.append(room, [entry], at=at)


def check_owner_remains(room: Room, leaving_role: str) -> None:
    """Raises AppError CONFLICT when the last owner would go."""
    if leaving_role != Role.OWNER:
        return
    if Membership.objects.filter(room=room, role=Role.OWNER).count() < 2:
        raise AppError(Code.CONFLICT, "Make someone else an owner first.")
