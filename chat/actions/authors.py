"""Someone about to write in a locked room: who they are and what binds them, read after the lock."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
    UUIDField,
    When,
)
from django.db.models.expressions import OuterRef
from django.db.models.functions import Greatest
from django.db.models.lookups import GreaterThan

from accounts.models import User, admitted
from chat.models import HeldMessage, HeldState, Message, Room, Ruleset
from chat.standing import Restriction, Standing, bonds, bound_in
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared, Statement

M = TypeVar("M", bound=Model)
# So many of one author may wait in one room.
MAX_HELD = 20


@dataclass(slots=True)
class Author:
    """One person under the room's lock. ``now`` is the database's clock after the lock was taken.

    ``held`` has those client ids, of the ones asked for, that were held here; ``waiting`` counts their
    messages that wait. ``rules_version`` is that of automod's rules in force.
    """

    user: User
    standing: Standing
    now: datetime
    mute: Restriction | None
    last_post_at: datetime | None
    held: set[UUID] = field(default_factory=set)
    waiting: int = 0
    rules_version: int = 0

    def check_may_write(self) -> None:
        """Raises AppError when the room, its policy or a sanction forbids writing."""
        refusal = self.standing.write_refusal()
        if refusal is not None:
            raise refusal
        if self.mute is not None:
            raise self.mute.refusal()

    def check_slow_mode(self) -> None:
        """Raises AppError SLOW_MODE when their last message here is too recent; moderators are exempt."""
        pause = timedelta(seconds=self.standing.room.slow_mode_seconds)
        if not pause or self.last_post_at is None or self.standing.may_moderate():
            return
        wait = (self.last_post_at + pause - self.now).total_seconds()
        if wait > 0:
            raise AppError(Code.SLOW_MODE, retry_after=wait)


def authors_of(room: Room, user_ids: Collection[int]) -> dict[int, Author]:
    """Those of ``user_ids`` who are let in, by id: one statement for any number. Call it under the lock."""
    return authors_among(_WRITING.find(room=room.pk, users=list(user_ids)), room)


def asking_senders(room_id: int, user_ids: Collection[int], client_ids: Collection[UUID]) -> Statement[User]:
    """The statement for those who send messages with ``client_ids``, to be asked right after the lock;
    ``authors_among`` reads what it has found."""
    return _SENDING.of(room=room_id, users=list(user_ids), client_ids=list(client_ids))


def authors_among(found: list[User], room: Room) -> dict[int, Author]:
    """Who was found, by id."""
    return {row.pk: _author(row, room) for row in found}


def author_in(room: Room, user: User) -> Author:
    """``user`` as they are now, for an action in the locked room. Raises AppError UNAUTHENTICATED."""
    author = authors_of(room, {user.pk}).get(user.pk)
    if author is None or author.user.epoch != user.epoch:
        raise AppError(Code.UNAUTHENTICATED)
    return author


def _writing() -> QuerySet[User]:
    users = Parameter("users", ArrayField(BigIntegerField()))
    return bound_in(User.objects.filter(admitted(), pk__any=users), _HERE).annotate(
        # In a room without slow mode nobody's last message is looked for.
        last_post_at=Case(
            When(
                GreaterThan(Subquery(Room.objects.filter(pk=_HERE).values("slow_mode_seconds")), 0),
                then=Greatest(
                    Subquery(_own(Message).order_by("-seq").values("created_at")[:1]),
                    Subquery(_own(HeldMessage).order_by("-created_at").values("created_at")[:1]),
                ),
            )
        )
    )


def _sending() -> QuerySet[User]:
    client_ids = Parameter("client_ids", ArrayField(UUIDField()))
    waiting = _own(HeldMessage).filter(state=HeldState.WAITING).values("pk")[:MAX_HELD]
    return _writing().annotate(
        held_ids=ArraySubquery(_own(HeldMessage).filter(client_id__any=client_ids).values("client_id")),
        waiting=Func(ArraySubquery(waiting), function="cardinality", output_field=IntegerField()),
        rules_version=Subquery(Ruleset.objects.values("version")[:1]),
    )


def _own(model: type[M]) -> QuerySet[M]:
    return model._default_manager.filter(room=_HERE, author=OuterRef("pk"))


_HERE = Parameter("room", BigIntegerField())
_WRITING, _SENDING = Prepared(_writing), Prepared(_sending)


def _author(row: User, room: Room) -> Author:
    standing, mute = bonds(row, room)
    found = row.__dict__
    return Author(
        user=row,
        standing=standing,
        now=found["now"],
        mute=mute,
        last_post_at=found["last_post_at"],
        held=set(found.get("held_ids") or ()),
        waiting=found.get("waiting") or 0,
        rules_version=found.get("rules_version") or 0,
    )
