"""What a room, or a list of rooms, looks like at one moment, with the seq from which the log goes on."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from accounts.models import User
from chat import access, log
from chat.models import HeldMessage, HeldState, Message, Room, Sanction, SanctionKind
from chat.models.reason import reason_given
from chat.payloads import (
    MAX_UNREAD,
    HeldPayload,
    MessagePayload,
    MyRoomPayload,
    Preview,
    RestrictionPayload,
    held_payload,
    instant,
    message_payload,
    my_room_payload,
)
from chat.standing import COLUMNS, Restriction, Standing, restriction_in
from chatproject.database import ClockTimestamp, snapshot
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared

MAX_PAGE = 100
MAX_ROOMS = 200
PREVIEW_CHARS = 120
UNREAD_REACH = 1000


class MessagePage(msgspec.Struct, frozen=True):
    """Messages oldest first, and the room's head and epoch of the same moment.

    A reader that has these results and applies every event after ``seq`` has the room as it is.
    """

    results: list[MessagePayload]
    seq: int
    epoch: str
    room: MyRoomPayload


def message_page(
    user: User | None,
    room_id: int,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int = 50,
) -> MessagePage:
    """A page by seq: before one, after one, around one, or the newest. Five statements at most.

    Raises AppError NOT_FOUND, and INVALID for more than one position.
    """
    if sum(position is not None for position in (before, after, around)) > 1:
        raise AppError(Code.INVALID, "Give one of before, after and around.")
    with snapshot():
        room = _visible(user, room_id)
        epoch = log.heads([]).epoch
        found = Message.objects.filter(room_id=room_id).select_related("author")
        if around is not None:
            half = limit // 2
            messages = found.page_before(around + 1, limit - half) + found.page_after(around, half)
        elif after is not None:
            messages = found.page_after(after, limit)
        else:
            messages = found.page_before(room.last_seq + 1 if before is None else before, limit)
    shown = list(map(message_payload, messages))
    return MessagePage(shown, room.last_seq, epoch, _mine_payload(room, user))


@dataclass(frozen=True, slots=True)
class RoomCursor:
    """The place after one room in a list: outside or not, its newest message, its id."""

    outside: bool
    newest: int
    room: int


def room_list(
    user: User | None, *, after: RoomCursor | None = None, limit: int = MAX_ROOMS
) -> tuple[list[MyRoomPayload], RoomCursor | None]:
    """The rooms of ``user``'s list, and where the next page begins: None at the end.

    Those they belong to come first, then the other open ones; the one with the newest message leads.
    Two statements for any number of rooms.
    """
    if after is None:
        found = _first_rooms(_who(user), limit + 1).find(user=user.pk if user else None)
    else:
        behind = Q(newest__lt=after.newest) | Q(newest=after.newest, pk__gt=after.room)
        rooms = _listed(access.rooms_visible_to(user), user.pk if user else None)
        rooms = rooms.filter(Q(outside__gt=int(after.outside)) | Q(outside=int(after.outside)) & behind)
        found = list(rooms[: limit + 1])
    page = found[:limit]
    messages = Message.objects.select_related("author").in_bulk([_extra(room, "newest") for room in page])
    shown = [_mine_payload(room, user, messages.get(_extra(room, "newest"))) for room in page]
    if len(found) <= limit:
        return shown, None
    last = page[-1]
    return shown, RoomCursor(bool(_extra(last, "outside")), _extra(last, "newest"), last.pk)


def my_room(user: User | None, room_id: int) -> MyRoomPayload:
    """One room with what it is to ``user``: one statement. Raises AppError NOT_FOUND, BANNED."""
    return _mine_payload(_visible(user, room_id), user)


def held_of(user: User, room_id: int) -> list[HeldPayload]:
    """The messages of ``user`` that wait for a moderator in a room, the oldest first."""
    own = HeldMessage.objects.filter(room_id=room_id, author=user, state=HeldState.WAITING)
    return [held_payload(held, to_moderator=False) for held in own.select_related("author").order_by("id")]


def held_of_client_id(user: User, room_id: int, client_id: UUID) -> HeldPayload:
    """One held message of ``user``, whatever was decided. Raises AppError NOT_FOUND."""
    held = HeldMessage.objects.select_related("author").filter(
        room_id=room_id, author=user, client_id=client_id
    )
    if (found := held.first()) is None:
        raise AppError(Code.NOT_FOUND)
    return held_payload(found, to_moderator=False)


def _visible(user: User | None, room_id: int) -> Room:
    found = _ONE_ROOM[_who(user)].find(room=room_id, user=user.pk if user else None)
    if not found:
        access.room_for(user, room_id)  # tells those who are banned
        raise AppError(Code.NOT_FOUND)
    return found[0]


def _who(user: User | None) -> str:
    """Which of the prepared queries asks for ``user``."""
    return "nobody" if user is None else "guest" if user.is_guest else "person"


def _seen_by(who: str) -> tuple[QuerySet[Room], Parameter | None]:
    user = None if who == "nobody" else Parameter("user", BigIntegerField())
    return access.visible_rooms(user, is_guest=who != "person"), user


def _one_room(who: str) -> QuerySet[Room]:
    rooms, user = _seen_by(who)
    return _mine(rooms.filter(pk=Parameter("room", BigIntegerField())), user)


_ONE_ROOM = {who: Prepared(partial(_one_room, who)) for who in ("nobody", "guest", "person")}


@lru_cache(maxsize=32)
def _first_rooms(who: str, limit: int) -> Prepared[Room]:
    return Prepared(lambda: _listed(*_seen_by(who))[:limit])


def _listed(rooms: QuerySet[Room], user: int | Parameter | None) -> QuerySet[Room]:
    """``rooms`` as ``_mine``, in the order of a list."""
    newest = (
        Message.objects.filter(room=OuterRef("pk"), deleted_at__isnull=True).order_by("-seq").values("pk")[:1]
    )
    return (
        _mine(rooms, user)
        .annotate(
            newest=Coalesce(Subquery(newest), 0), outside=Case(When(role__isnull=True, then=1), default=0)
        )
        .order_by("outside", "-newest", "pk")
    )


def _mine(rooms: QuerySet[Room], user: int | Parameter | None) -> QuerySet[Room]:
    """``rooms`` with ``role``, ``read``, ``unread`` and the mutes of ``user``, an id or a place for one.

    Counting stops at MAX_UNREAD and looks no farther back than the newest UNREAD_REACH events.
    """
    if user is None:
        return rooms.annotate(
            role=Value(None, output_field=IntegerField(null=True)),
            mute_kind=Value(None, output_field=IntegerField(null=True)),
            hush_kind=Value(None, output_field=IntegerField(null=True)),
            read=Value(0, output_field=BigIntegerField()),
            unread=Value(0),
        )
    # Bounded below, or someone who writes much and reads nothing would have all their own messages scanned.
    recent = Message.objects.filter(room=OuterRef("pk"), seq__gt=OuterRef("last_seq") - UNREAD_REACH)
    unread = recent.filter(seq__gt=OuterRef("seat__read_seq"), deleted_at__isnull=True).exclude(author=user)
    counted = Func(
        ArraySubquery(unread.values("pk")[:MAX_UNREAD]), function="cardinality", output_field=IntegerField()
    )
    muted = Q(sanctions__user=user, sanctions__kind=SanctionKind.MUTE, sanctions__lifted_at__isnull=True)
    hush = Sanction.objects.filter(user=user, kind=SanctionKind.MUTE, lifted_at__isnull=True, room=None)
    return rooms.annotate(
        mute=FilteredRelation("sanctions", condition=muted),
        **{f"mute_{name}": F(f"mute__{name}") for name in COLUMNS},
        **{f"hush_{name}": Subquery(hush.values(name)[:1]) for name in COLUMNS},
        now=ClockTimestamp(),
        seat=FilteredRelation("memberships", condition=Q(memberships__user=user)),
        role=F("seat__role"),
        read=Coalesce(F("seat__read_seq"), 0),
        unread=Coalesce(counted, 0),
    )


def _mine_payload(room: Room, user: User | None, newest: Message | None = None) -> MyRoomPayload:
    preview = None
    if newest is not None:
        text = " ".join(newest.body.split())[:PREVIEW_CHARS]
        preview = Preview(newest.author.display_name, text, instant(newest.created_at))
    role = _extra(room, "role")
    mute = restriction_in(room.__dict__, "mute") or restriction_in(room.__dict__, "hush")
    return my_room_payload(
        room,
        role=role,
        read=_extra(room, "read"),
        unread=_extra(room, "unread"),
        rights=access.rights_in(Standing(user, room, role), muted=mute is not None),
        preview=preview,
        restriction=_told(mute) if mute else None,
    )


def _told(mute: Restriction) -> RestrictionPayload:
    ends_at = instant(mute.ends_at) if mute.ends_at else None
    return RestrictionPayload(mute.kind, reason_given(mute.category, mute.reason), ends_at)


def _extra(room: Room, name: str) -> Any:
    """A column that ``annotate`` added."""
    return getattr(room, name)
