"""Taking the oldest events out of the log. Messages stay; only the events that tell of them go."""

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from chat import log
from chat.models import Room, RoomEvent
from chatproject.database import ClockTimestamp


def prune_log() -> int:
    """Removes events older than ``EVENT_RETENTION``, room by room; how many went.

    A reader whose position is gone is told ``resync``: ``first_seq`` moves in the same transaction.
    """
    limit = ClockTimestamp() - settings.EVENT_RETENTION
    rooms = RoomEvent.objects.filter(created_at__lt=limit).values_list("room_id", flat=True).distinct()
    return sum(_prune_room(room_id) for room_id in list(rooms))


def _prune_room(room_id: int) -> int:
    with transaction.atomic():
        room = log.lock_room(room_id)
        old = RoomEvent.objects.filter(room=room, created_at__lt=ClockTimestamp() - settings.EVENT_RETENTION)
        newest: int | None = old.aggregate(newest=Max("seq"))["newest"]
        if newest is None:
            return 0
        gone, _ = RoomEvent.objects.filter(room=room, seq__lte=newest).delete()
        Room.objects.filter(pk=room_id).update(first_seq=newest + 1)
    return gone
