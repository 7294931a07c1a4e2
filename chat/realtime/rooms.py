"""Which rooms this process has open, who follows them, and how that ends."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from chat import log
from chat.log import Heads
from chat.realtime.doorbell import Doorbell, room_group
from chat.realtime.protocol import ResyncFrame, RoomClosedFrame, to_frame
from chat.realtime.room import OpenRoom, Subscription
from chat.realtime.tasks import Tasks
from chatproject import metrics
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool

logger = logging.getLogger(__name__)

# A room without a subscriber stays in memory for as long as a wave of reconnects may take, 30 s at most by
# the client's back-off, and not more of them than memory allows (feed.MAX_BYTES each).
LINGER_SECONDS = 60.0
MAX_LINGERING = 128


class Rooms:
    """The open rooms. ``epoch`` is the incarnation of the database that their memory belongs to."""

    def __init__(self, pool: DatabasePool, bell: Doorbell, tasks: Tasks) -> None:
        self._pool = pool
        self._bell = bell
        self._tasks = tasks
        self._open: dict[int, OpenRoom] = {}
        self._lingering: dict[int, asyncio.TimerHandle] = {}
        self.epoch = ""
        self._clock = (datetime.now(UTC), time.monotonic())

    def get(self, room_id: int) -> OpenRoom | None:
        """The room, if it is open or being opened here."""
        return self._open.get(room_id)

    def opened(self) -> list[OpenRoom]:
        """Those whose head is known."""
        return [room for room in self._open.values() if not room.opening]

    async def open(self, room_id: int) -> OpenRoom:
        """The room, opened in this process if nobody had: join its group first, then read its head."""
        room = self._open.get(room_id)
        if room_id in self._lingering:
            self._lingering.pop(room_id).cancel()
        if room is None:
            room = self._open[room_id] = OpenRoom(room_id)
            room.opened = self._tasks.spawn(self._open_room(room))
            metrics.OPEN_ROOMS.inc()
        room.waiting += 1
        try:
            await asyncio.shield(room.opened)
        finally:
            room.waiting -= 1
        return room

    def drop(self, subscription: Subscription) -> None:
        """Ends a subscription without a word."""
        subscription.live = False
        room = subscription.room
        if room.subscriptions.get(subscription.socket) is subscription:
            room.remove(subscription)
        self.forget_if_empty(room)

    def take_away(self, subscription: Subscription, code: Code) -> None:
        """This socket has lost the room."""
        self.drop(subscription)
        if subscription.admitted:
            subscription.socket.write(to_frame(RoomClosedFrame(subscription.room.id, code)))

    def resync(self, subscription: Subscription) -> None:
        """This socket must load the room again and open it from there."""
        self.drop(subscription)
        if subscription.admitted:
            subscription.socket.write(to_frame(ResyncFrame(subscription.room.id, self.epoch)))

    def forget_if_empty(self, room: OpenRoom) -> None:
        """Closes a room that nobody follows or is about to.

        One that had readers stays a while: when a network fails they all go, and come back at once.
        """
        if room.subscriptions or room.waiting or self._open.get(room.id) is not room:
            return
        if not room.has_readers:
            self.forget(room)
        elif room.id not in self._lingering:
            loop = asyncio.get_running_loop()
            self._lingering[room.id] = loop.call_later(LINGER_SECONDS, self.forget, room)
            if len(self._lingering) > MAX_LINGERING:
                self.forget(self._open[next(iter(self._lingering))])

    def forget(self, room: OpenRoom) -> None:
        """Closes a room: its memory goes, and no bell of it is heard any longer."""
        if self._open.get(room.id) is not room:
            return
        del self._open[room.id]
        if room.id in self._lingering:
            self._lingering.pop(room.id).cancel()
        metrics.OPEN_ROOMS.dec()
        self._tasks.spawn(self._leave(room.id))

    def now(self) -> datetime:
        """The database's clock as of the last heads, carried on by this machine's steady one."""
        at, steady = self._clock
        return at + timedelta(seconds=time.monotonic() - steady)

    def notice(self, heads: Heads) -> None:
        """Sets the clock; another epoch makes all memory worthless, and everyone loads again."""
        self._clock = (heads.now, time.monotonic())
        epoch = heads.epoch
        if self.epoch and epoch != self.epoch:
            logger.warning("The database has another epoch")
            self.epoch = epoch
            for room in list(self._open.values()):
                if room.opening:
                    continue
                for subscription in list(room.subscriptions.values()):
                    self.resync(subscription)
                self.forget(room)
        self.epoch = epoch

    async def _open_room(self, room: OpenRoom) -> None:
        try:
            await self._bell.join(room_group(room.id))
            heads = await self._pool.run(log.heads, [room.id])
            if room.id not in heads.last:
                raise AppError(Code.NOT_FOUND)
        except BaseException:
            self.forget(room)
            raise
        self.notice(heads)
        room.start(heads.last[room.id])

    async def _leave(self, room_id: int) -> None:
        if room_id not in self._open:
            await self._bell.leave(room_group(room_id))
            if room_id in self._open:  # opened again meanwhile
                await self._bell.join(room_group(room_id))
