"""What staff look at and take out, on record: private rooms, and the audit itself."""

from typing import Any

from django.db import transaction

from accounts.models import User
from chat import access, audit
from chat.actions.undo import EXPORTED, LOOKED
from chat.audit import Deed
from chat.models import Room
from chat.standing import staff_may
from chatproject.errors import AppError, Code


def look_into(actor: User, room: Room, *, at: str) -> None:
    """Records that ``actor`` sees what is in a private room, ``at`` such as ``message:12``.

    Rooms that are not private are open to all staff: nothing is recorded. Raises AppError NOT_FOUND for
    those who may not look into private rooms and do not belong to this one.
    """
    if not room.is_private:
        return
    if not access.reaches(access.standing_in(room, actor)):
        raise AppError(Code.NOT_FOUND)
    with transaction.atomic():
        audit.record(actor, Deed(LOOKED, at, room_id=room.pk))


def record_export(actor: User, *, form: str, chosen: dict[str, Any]) -> None:
    """Records that the audit is taken out as ``form``, and which part of it. Raises AppError FORBIDDEN."""
    if not staff_may(actor, access.AUDIT):
        raise AppError(Code.FORBIDDEN)
    with transaction.atomic():
        audit.record(actor, Deed(EXPORTED, "audit", after={"format": form, "filters": chosen}))
