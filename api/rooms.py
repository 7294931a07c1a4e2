"""Rooms, what happened in them, and how far the caller has read."""

from typing import Any

from django.db import transaction
from rest_framework.response import Response

from api import inputs
from api.authentication import person, signed_in
from api.door import Door, operation
from api.limiting import take
from api.outputs import EventPage, ReadPosition, RoomHeads, RoomPage
from chat import access, log
from chat.actions.members import mark_read
from chat.actions.rooms import RoomChanges, archive_room, create_room, reopen_room, update_room
from chat.payloads import MyRoomPayload
from chat.snapshots import RoomCursor, my_room, room_list
from chatproject.database import snapshot
from chatproject.errors import AppError, Code
from chatproject.limits import ROOMS_PER_PERSON


class Rooms(Door):
    """The rooms that exist for the caller."""

    @operation("room_list", scope="rooms:read", answer=RoomPage, query=inputs.RoomQuery)
    def get(self, given: dict[str, Any]) -> RoomPage:
        """The caller's list, or with ``slug`` that one room or nothing."""
        user = person(self.request)
        if "slug" not in given:
            rooms, following = room_list(user, after=_cursor(given.get("cursor")), limit=given["limit"])
            return RoomPage(rooms, _text(following) if following else None)
        try:
            return RoomPage([my_room(user, access.room_by_slug_for(user, given["slug"]).room.pk)])
        except AppError as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            return RoomPage([])

    @operation(
        "room_create", scope="rooms:write", answer=MyRoomPayload, statuses=(201, 200), body=inputs.NewRoom
    )
    def post(self, given: dict[str, Any]) -> Response:
        """Makes a room that the caller owns. A ``client_id`` used before answers 200 with that room."""
        user = signed_in(self.request.user)
        take(self.request, ROOMS_PER_PERSON, user.pk)
        replayed = access.has_created(user, given.get("client_id"))
        return Response(my_room(user, create_room(user, **given).pk), 200 if replayed else 201)


def _cursor(text: str | None) -> RoomCursor | None:
    if text is None:
        return None
    outside, newest, room = text.split(".")
    return RoomCursor(outside == "1", int(newest), int(room))


def _text(cursor: RoomCursor) -> str:
    return f"{int(cursor.outside)}.{cursor.newest}.{cursor.room}"


class Heads(Door):
    """The logs of many rooms at once."""

    @operation("room_heads", scope="messages:read", answer=RoomHeads, query=inputs.HeadsQuery)
    def get(self, given: dict[str, Any]) -> RoomHeads:
        """Where each stands: a client that polls asks for events only where something has happened."""
        seen = access.rooms_visible_to(person(self.request)).filter(pk__in=given["rooms"])
        heads = log.heads(seen.values_list("pk", flat=True))
        return RoomHeads(heads.epoch, {str(room): seq for room, seq in sorted(heads.last.items())})


class OneRoom(Door):
    """One room."""

    @operation("room_get", scope="rooms:read", answer=MyRoomPayload)
    def get(self, _given: dict[str, Any], *, room_id: int) -> MyRoomPayload:
        """The room with what it is to the caller."""
        return my_room(person(self.request), room_id)

    @operation("room_update", scope="rooms:write", answer=MyRoomPayload, body=inputs.RoomChange)
    def patch(self, given: dict[str, Any], *, room_id: int) -> MyRoomPayload:
        """Changes the room, by its owner: all of it or nothing."""
        user = signed_in(self.request.user)
        archived = given.pop("archived", None)
        slow_mode = given.pop("slow_mode", None)
        with transaction.atomic():
            update_room(user, room_id, RoomChanges(**given, slow_mode_seconds=slow_mode))
            if archived is not None:
                (archive_room if archived else reopen_room)(user, room_id)
        return my_room(user, room_id)

    @operation("room_archive", scope="rooms:write", statuses=(204,))
    def delete(self, _given: dict[str, Any], *, room_id: int) -> None:
        """Closes the room for writing, by its owner. It can still be read, and opened again."""
        archive_room(signed_in(self.request.user), room_id)


class Events(Door):
    """The log of a room."""

    @operation("event_list", scope="messages:read", answer=EventPage, query=inputs.EventQuery)
    def get(self, given: dict[str, Any], *, room_id: int) -> EventPage:
        """The events after a seq, as they are now.

        A position of another epoch, before the kept ones or ahead of the head is a conflict: load the
        messages again and go on from their ``seq`` and ``epoch``.
        """
        after = given["after"]
        with snapshot():
            room = access.room_for(person(self.request), room_id).room
            epoch = log.heads([]).epoch
            if given.get("epoch", epoch) != epoch or not room.first_seq - 1 <= after <= room.last_seq:
                raise AppError(
                    Code.CONFLICT, "The log cannot go on from this position. Load the messages again."
                )
            events = [event.payload for event in log.read_after(room_id, after, given["limit"])]
        return EventPage(events, events[-1].seq if events else after, room.last_seq, epoch)


class Read(Door):
    """How far the caller has read."""

    @operation("read_mark", scope="messages:read", answer=ReadPosition, body=inputs.ReadMark)
    def put(self, given: dict[str, Any], *, room_id: int) -> ReadPosition:
        """Moves the mark to ``seq``; never back, and not past the head."""
        return ReadPosition(mark_read(signed_in(self.request.user), room_id, seq=given["seq"]))
