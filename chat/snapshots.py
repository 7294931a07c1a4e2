"""What a room, or a list of rooms, looks like at one moment, with the seq from which the log goes on."""

from dataclasses import dataclass
from typing import Any

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
from chat.models import Message, Room
from chat.payloads import (
    MAX_UNREAD,
    MessagePayload,
    MyRoomPayload,
    Preview,
    instant,
    message_payload,
    my_room_payload,
)
from chatproject.database import snapshot
from chatproject.errors import AppError, Code

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
        room = _mine(access.rooms_visible_to(user).filter(pk=room_id), user).first()
        if room is None:
            raise AppError(Code.NOT_FOUND)
        epoch = log.heads([]).epoch
        found = Message.objects.filter(room_id=room_id).select_related("author")
        if around is not None:
            half = limit // 2
            messages = found.page_before(around + 1, limit - half) + found.page_after(around, half)
        elif after is not None:
            messages = found.page_after(after, limit)
        else:
            messages = found.page_before(room.last_seq + 1 if before is None else before, limit)
    return MessagePage(list(map(message_payload, messages)), room.last_seq, epoch, _mine_payload(room, None))


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
    newest = (
        Message.objects.filter(room=OuterRef("pk"), deleted_at__isnull=True).order_by("-seq").values("pk")[:1]
    )
    rooms = _mine(access.rooms_visible_to(user), user).annotate(
        newest=Coalesce(Subquery(newest), 0), outside=Case(When(role__isnull=True, then=1), default=0)
    )
    if after is not None:
        behind = Q(newest__lt=after.newest) | Q(newest=after.newest, pk__gt=after.room)
        rooms = rooms.filter(Q(outside__gt=int(after.outside)) | Q(outside=int(after.outside)) & behind)
    found = list(rooms.order_by("outside", "-newest", "pk")[: limit + 1])
    page = found[:limit]
    messages = Message.objects.select_related("author").in_bulk([_extra(room, "newest") for room in page])
    shown = [_mine_payload(room, messages.get(_extra(room, "newest"))) for room in page]
    if len(found) <= limit:
        return shown, None
    last = page[-1]
    return shown, RoomCursor(bool(_extra(last, "outside")), _extra(last, "newest"), last.pk)


def my_room(user: User | None, room_id: int) -> MyRoomPayload:
    """One room with what it is to ``user``: one statement. Raises AppError NOT_FOUND."""
    room = _mine(access.rooms_visible_to(user).filter(pk=room_id), user).first()
    if room is None:
        raise AppError(Code.NOT_FOUND)
    return _mine_payload(room, None)


def _mine(rooms: QuerySet[Room], user: User | None) -> QuerySet[Room]:
    """``rooms`` with ``role``, ``read`` and ``unread`` of ``user``.

    Counting stops at MAX_UNREAD and looks no farther back than the newest UNREAD_REACH events.
    """
    if user is None:
        return rooms.annotate(
            role=Value(None, output_field=IntegerField(null=True)),
            read=Value(0, output_field=BigIntegerField()),
            unread=Value(0),
        )
    # Bounded below, or someone who writes much and reads nothing would have all their own messages scanned.
    recent = Message.objects.filter(room=OuterRef("pk"), seq__gt=OuterRef("last_seq") - UNREAD_REACH)
    unread = recent.filter(seq__gt=OuterRef("seat__read_seq"), deleted_at__isnull=True).exclude(author=user)
    counted = Func(
        ArraySubquery(unread.values("pk")[:MAX_UNREAD]), function="cardinality", output_field=IntegerField()
    )
    return rooms.annotate(
        seat=FilteredRelation("memberships", condition=Q(memberships__user=user)),
        role=F("seat__role"),
        read=Coalesce(F("seat__read_seq"), 0),
        unread=Coalesce(counted, 0),
    )


def _mine_payload(room: Room, newest: Message | None) -> MyRoomPayload:
    preview = None
    if newest is not None:
        text = " ".join(newest.body.split())[:PREVIEW_CHARS]
        preview = Preview(newest.author.display_name, text, instant(newest.created_at))
    return my_room_payload(
        room,
        role=_extra(room, "role"),
        read=_extra(room, "read"),
        unread=_extra(room, "unread"),
        preview=preview,
    )


def _extra(room: Room, name: str) -> Any:
    """A column that ``annotate`` added."""
    return getattr(room, name)
