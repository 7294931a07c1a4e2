"""How many people are connected, as each serving process tells it."""

from datetime import timedelta
from uuid import UUID

from chat.models import Pulse
from chatproject.database import ClockTimestamp

# A process that has not told for so long is gone.
STALE = timedelta(seconds=30)
FORGOTTEN = timedelta(hours=1)


def beat(process: UUID, *, people: int, sockets: int) -> None:
    """Tells how many are connected to this process now."""
    Pulse.objects.update_or_create(
        process=process, defaults={"people": people, "sockets": sockets, "at": ClockTimestamp()}
    )
    Pulse.objects.filter(at__lt=ClockTimestamp() - FORGOTTEN).delete()


def stop_beating(process: UUID) -> None:
    """The process ends."""
    Pulse.objects.filter(process=process).delete()
