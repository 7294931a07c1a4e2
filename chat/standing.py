"""What someone is to a room: their role there, their rank, and the sanctions that bind them."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import BigIntegerField, F, FilteredRelation, Q, QuerySet, SlugField

from accounts.models import User
from chat.models import BARRING, GuestPolicy, Role, Room, RoomKind, SanctionKind
from chat.models.reason import reason_given
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared

_MANAGERS = {Role.OWNER}
_MODERATORS = {Role.OWNER, Role.MODERATOR}
_OPEN_TO_GUESTS_WHO_WRITE = {GuestPolicy.WRITE, GuestPolicy.APPROVAL}

STAFF_RANK, ROOT_RANK = 3, 4
_RANKS = {Role.MODERATOR: 1, Role.OWNER: 2}
_SANCTIONS = ("bar", "mute", "hush")
COLUMNS = ("kind", "category", "reason", "ends_at")


@dataclass(frozen=True, slots=True)
class Restriction:
    """A sanction in force, as it binds someone and is told to them. ``now`` is when it was asked for."""

    kind: str
    everywhere: bool
    category: str
    reason: str
    ends_at: datetime | None
    now: datetime

    @property
    def holds(self) -> bool:
        """Whether it was not over when it was asked for."""
        return self.ends_at is None or self.ends_at > self.now

    def refusal(self) -> AppError:
        """MUTED or BANNED; ``fields.reason`` has the reason, ``retry_after`` the seconds left."""
        given = reason_given(self.category, self.reason)
        code = Code.BANNED if self.kind in BARRING else Code.MUTED
        what = "You are banned from this room" if self.kind in BARRING else "You cannot write here"
        until = f" until {self.ends_at:%Y-%m-%d %H:%M} UTC" if self.ends_at else ""
        wait = (self.ends_at - self.now).total_seconds() if self.ends_at else None
        return AppError(
            code, f"{what}{until}. Reason given: {given}", retry_after=wait, fields={"reason": [given]}
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What someone is to a room: ``user`` is None for a visitor without a name, ``role`` outside.

    ``bar`` is the kick or ban that keeps them out.
    """

    user: User | None
    room: Room
    role: str | None = None
    read_seq: int = 0
    bar: Restriction | None = None

    def may_read(self) -> bool:
        """Whether this room exists for them."""
        return self._is_open() and self.bar is None

    def may_moderate(self) -> bool:
        """Whether they may remove messages and members of others, by their role here."""
        return self.role in _MODERATORS and self.bar is None

    def may_manage(self) -> bool:
        """Whether they may change the room, its roles and its members, by their role here."""
        return self.role in _MANAGERS and self.bar is None

    def read_refusal(self) -> AppError | None:
        """Why they may not read here; None when they may."""
        if not self._is_open():
            return AppError(Code.NOT_FOUND)
        return self.bar.refusal() if self.bar else None

    def write_refusal(self) -> AppError | None:
        """Why they may not write here, mutes and slow mode aside; None when they may."""
        refusal = self.read_refusal()
        if refusal is not None:
            return refusal
        if self.room.archived_at is not None:
            return AppError(Code.ARCHIVED)
        if self.user is None:
            return AppError(Code.UNAUTHENTICATED)
        if self.room.kind == RoomKind.ANNOUNCEMENT and self.role not in _MODERATORS:
            return AppError(Code.READ_ONLY, "Only moderators write in this room.")
        if self.user.is_guest and not self._guests_write():
            return AppError(Code.READ_ONLY)
        return None

    def waits_for_approval(self) -> bool:
        """Whether what they write is held until a moderator lets it in."""
        by_policy = self.room.guest_policy == GuestPolicy.APPROVAL
        return by_policy and self.user is not None and self.user.is_guest and not self.may_moderate()

    def rank(self) -> int:
        """How high they stand here: 0 for most, room moderators, owners, staff, superusers."""
        return max(self.role_rank(), site_rank(self.user))

    def role_rank(self) -> int:
        """How high they stand by their role here alone."""
        return _RANKS.get(Role(self.role), 0) if self.role else 0

    def _is_open(self) -> bool:
        if self.room.is_private:
            return self.role is not None
        is_account = self.user is not None and not self.user.is_guest
        return is_account or self.room.guest_policy != GuestPolicy.NONE

    def _guests_write(self) -> bool:
        return self.room.is_private or self.room.guest_policy in _OPEN_TO_GUESTS_WHO_WRITE


def site_rank(user: User | None) -> int:
    """How high someone stands by what they are everywhere."""
    if user is None or not user.is_staff:
        return 0
    return ROOT_RANK if user.is_superuser else STAFF_RANK


def staff_may(user: User | None, permission: str) -> bool:
    """Whether a member of staff holds ``permission``. Costs others nothing."""
    return user is not None and user.is_staff and user.has_perm(permission)


def bound_in(people: QuerySet[User], room: Room | Parameter) -> QuerySet[User]:
    """``people`` with what ``bonds`` reads: their seat in ``room`` and the sanctions that bind them."""
    here = Q(sanctions__room=room, sanctions__lifted_at__isnull=True)
    everywhere = Q(sanctions__room__isnull=True, sanctions__lifted_at__isnull=True)
    relations = {
        "seat": FilteredRelation("memberships", condition=Q(memberships__room=room)),
        "bar": FilteredRelation("sanctions", condition=here & Q(sanctions__kind__in=BARRING)),
        "mute": FilteredRelation("sanctions", condition=here & Q(sanctions__kind=SanctionKind.MUTE)),
        "hush": FilteredRelation("sanctions", condition=everywhere & Q(sanctions__kind=SanctionKind.MUTE)),
    }
    columns = {f"{name}_{field}": F(f"{name}__{field}") for name in _SANCTIONS for field in COLUMNS}
    return people.annotate(
        **relations, **columns, role=F("seat__role"), read_seq=F("seat__read_seq"), now=ClockTimestamp()
    )


def bonds(user: User, room: Room) -> tuple[Standing, Restriction | None]:
    """The standing of someone from ``bound_in``, and the mute that binds them."""
    row = user.__dict__
    mute = restriction_in(row, "mute") or restriction_in(row, "hush")
    return Standing(user, room, row["role"], row["read_seq"] or 0, restriction_in(row, "bar")), mute


def restriction_in(row: dict[str, Any], name: str) -> Restriction | None:
    """The sanction that a query has selected as ``<name>_kind`` and so on, beside ``now``; None if over."""
    if row[f"{name}_kind"] is None:
        return None
    kind, category, reason, ends_at = (row[f"{name}_{field}"] for field in COLUMNS)
    found = Restriction(kind, name == "hush", category, reason, ends_at, row["now"])
    return found if found.holds else None


def standing_by(user: User | None, **named: int | str) -> Standing | None:
    """What ``user`` is to the room of this ``id`` or ``slug``, visible to them or not: one statement."""
    if user is None:
        found = Room.objects.filter(**named).first()
        return Standing(None, found) if found else None
    ((column, value),) = named.items()
    rooms = _STANDING[column].find(room=value, user=user.pk)
    if not rooms:
        return None
    row = rooms[0].__dict__
    return Standing(user, rooms[0], row["role"], row["read_seq"] or 0, restriction_in(row, "bar"))


def _rooms_with_standing(column: str) -> QuerySet[Room]:
    room = Parameter("room", SlugField() if column == "slug" else BigIntegerField())
    user = Parameter("user", BigIntegerField())
    here = Q(sanctions__user=user, sanctions__lifted_at__isnull=True, sanctions__kind__in=BARRING)
    return Room.objects.filter(**{column: room}).annotate(
        seat=FilteredRelation("memberships", condition=Q(memberships__user=user)),
        bar=FilteredRelation("sanctions", condition=here),
        role=F("seat__role"),
        read_seq=F("seat__read_seq"),
        now=ClockTimestamp(),
        **{f"bar_{field}": F(f"bar__{field}") for field in COLUMNS},
    )


_STANDING = {column: Prepared(partial(_rooms_with_standing, column)) for column in ("id", "slug")}
