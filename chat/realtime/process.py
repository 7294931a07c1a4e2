"""What one serving process has once: the hub, the writer, its sockets, and their end."""

import asyncio
import logging
import random
from functools import partial
from typing import Any

from chat.log import LoggedEvent
from chat.realtime.addresses import Addresses
from chat.realtime.doorbell import PEOPLE, notification_bell, ring_from_thread, room_group
from chat.realtime.hub import Hub
from chat.realtime.protocol import Close
from chat.realtime.room import Socket
from chat.realtime.tasks import Tasks
from chat.realtime.writer import Writer
from chatproject.pool import DatabasePool, database_pool
from chatproject.server import drain

logger = logging.getLogger(__name__)

RECONNECT_SPREAD_SECONDS = 3.0
# Below the time the drain gives all of us, so that everyone still gets their goodbye.
FINISH_SECONDS = 3.0


class Process:
    """Made on the event loop by the first socket; ends with the process."""

    def __init__(self, pool: DatabasePool) -> None:
        self.loop = asyncio.get_running_loop()
        self.pool = pool
        self.writer = Writer(pool)
        self.hub = Hub(pool)
        self.addresses = Addresses()
        self._sockets: set[Socket] = set()
        self.tasks = Tasks()
        self.hub.start()
        drain.on_drain(self._say_goodbye)

    def count(self, socket: Socket) -> None:
        """A connection has been accepted."""
        self._sockets.add(socket)

    def uncount(self, socket: Socket) -> bool:
        """A connection has gone; whether it had been counted."""
        known = socket in self._sockets
        self._sockets.discard(socket)
        return known

    def committed(self, room_id: int, events: list[LoggedEvent]) -> None:
        """Events of a commit in this process: to our own sockets at once, to other processes by bell."""
        self.hub.publish(room_id, events)
        self.hub.ring(room_id, events)

    def revoked(self, user_id: int) -> None:
        """A credential of this person has ended."""
        self.tasks.spawn(self.hub.people.recheck(user_id))
        self.hub.bell.ring(PEOPLE, {"type": "credentials", "user": user_id})

    def told(self, user_ids: list[int], kind: str, data: dict[str, Any]) -> None:
        """Something for these people, wherever they are connected."""
        self.hub.notify(user_ids, kind, data)

    async def _say_goodbye(self) -> None:
        """In-flight sends are answered, then every socket is told to come back, spread over a while."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self.writer.finish()
        except TimeoutError:
            logger.warning("Sends were still waiting when the drain ended")
        await self.hub.people.stop_beating()
        await asyncio.sleep(0)  # their replies are written in the next turn of the loop
        for socket in list(self._sockets):
            wait = random.uniform(0, RECONNECT_SPREAD_SECONDS)  # noqa: S311 - spreads load, hides nothing
            socket.end(Close.RESTART, "The server restarts.", round(wait, 2))


_process: Process | None = None


def current_process() -> Process:
    """The process's own; on the event loop."""
    global _process
    if _process is None or _process.loop is not asyncio.get_running_loop():
        _process = Process(database_pool())
    return _process


def on_committed(room_id: int, events: list[LoggedEvent]) -> None:
    """Called on the writer's thread after every commit."""
    if _process is not None and _process.loop.is_running():
        _process.loop.call_soon_threadsafe(_process.committed, room_id, events)
    else:
        ring_from_thread(room_group(room_id), {"type": "event", "room": room_id, "seq": events[-1].seq})


def on_revoked(*, user_id: int, **_: Any) -> None:
    """Called after the commit that ended a credential."""
    if _process is not None and _process.loop.is_running():
        _process.loop.call_soon_threadsafe(partial(_process.revoked, user_id))
    else:
        ring_from_thread(PEOPLE, {"type": "credentials", "user": user_id})


def on_told(user_ids: list[int], kind: str, data: dict[str, Any]) -> None:
    """Called after the commit that told these people something."""
    if _process is not None and _process.loop.is_running():
        _process.loop.call_soon_threadsafe(_process.told, user_ids, kind, data)
    else:
        ring_from_thread(PEOPLE, notification_bell(user_ids, kind, data))
