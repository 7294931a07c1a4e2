"""Someone about to write in a locked room: who they are and what binds them, read after the lock."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, FilteredRelation, Q, Subquery
from django.db.models.expressions import OuterRef

from accounts.models import User
from chat.access import Standing
from chat.models import Message, Room, SanctionKind
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code


@dataclass(slots=True)
class Author:
    """One person under the room's lock. ``now`` is the database's clock after the lock was taken."""

    user: User
    standing: Standing
    now: datetime
    muted: bool
    mute_ends_at: datetime | None
    last_post_at: datetime | None

    def check_may_write(self) -> None:
        """Raises AppError when the room, its policy or a sanction forbids writing."""
        refusal = self.standing.write_refusal()
        if refusal is not None:
            raise AppError(refusal)
        if self.muted and (self.mute_ends_at is None or self.mute_ends_at > self.now):
            wait = (self.mute_ends_at - self.now).total_seconds() if self.mute_ends_at else None
            raise AppError(Code.MUTED, retry_after=wait)

    def check_slow_mode(self) -> None:
        """Raises AppError SLOW_MODE when their last message here is too recent; moderators are exempt."""
        pause = timedelta(seconds=self.standing.room.slow_mode_seconds)
        if not pause or self.last_post_at is None or self.standing.may_moderate():
            return
        wait = (self.last_post_at + pause - self.now).total_seconds()
        if wait > 0:
            raise AppError(Code.SLOW_MODE, retry_after=wait)


def authors_of(room: Room, user_ids: Collection[int]) -> dict[int, Author]:
    """The active ones of ``user_ids`` by id: one statement for any number. Call it after ``lock_room``."""
    users = User.objects.filter(pk__in=user_ids, is_active=True).annotate(
        seat=FilteredRelation("memberships", condition=Q(memberships__room=room)),
        mute=FilteredRelation(
            "sanctions",
            condition=Q(
                sanctions__room=room, sanctions__kind=SanctionKind.MUTE, sanctions__lifted_at__isnull=True
            ),
        ),
    )
    rows = users.annotate(
        role=F("seat__role"),
        read_seq=F("seat__read_seq"),
        mute_id=F("mute__id"),
        mute_ends_at=F("mute__ends_at"),
        now=ClockTimestamp(),
    )
    if room.slow_mode_seconds:
        own = Message.objects.filter(room=room, author=OuterRef("pk")).order_by("-seq")
        rows = rows.annotate(last_post_at=Subquery(own.values("created_at")[:1]))
    return {row.pk: _author(row, room) for row in rows}


def _author(row: User, room: Room) -> Author:
    found = row.__dict__
    return Author(
        user=row,
        standing=Standing(row, room, found["role"], found["read_seq"] or 0),
        now=found["now"],
        muted=found["mute_id"] is not None,
        mute_ends_at=found["mute_ends_at"],
        last_post_at=found.get("last_post_at"),
    )
