"""The way of an event from the log to the sockets, and who is held back until access was asked again."""

import asyncio
import logging

from chat import access, log
from chat.log import LoggedEvent
from chat.models import Kind
from chat.realtime.feed import Batch, frame_of
from chat.realtime.room import OpenRoom, Subscription
from chat.realtime.rooms import Rooms
from chat.realtime.tasks import Tasks
from chatproject import metrics
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
PAGE = 200
MAX_CATCHING_UP = 8
# Events of a room that come within this time of its last write leave together, in one write a socket. The
# first after a pause leaves at once.
COALESCE_SECONDS = 0.004

# After these someone may have lost the right to read; nothing more reaches them until that is known.
_REVOKING = {
    Kind.MEMBER_LEFT,
    Kind.MEMBER_ROLE_CHANGED,
    Kind.MEMBER_SANCTIONED,
    Kind.MEMBER_UNSANCTIONED,
    Kind.ROOM_UPDATED,
    Kind.ROOM_ARCHIVED,
}


class Delivery:
    """Every socket gets every event of its rooms in order, once, or is told to load again."""

    def __init__(self, pool: DatabasePool, rooms: Rooms, tasks: Tasks) -> None:
        self._pool = pool
        self._rooms = rooms
        self._tasks = tasks
        self._catching_up = asyncio.Semaphore(MAX_CATCHING_UP)

    def take(self, room: OpenRoom, events: list[LoggedEvent]) -> None:
        """Puts what follows into memory and, now or a moment later, on every live socket."""
        for event in events:
            if event.seq > room.feed.head and event.kind in _REVOKING:
                self._suspect(room, event)
        frames = room.feed.append(events)
        if not frames:
            return
        for frame in frames:
            if frame.event.kind == Kind.MESSAGE_POSTED and frame.event.payload.actor is not None:
                room.typing.stopped(frame.event.payload.actor)
        room.unwritten += frames
        if room.flush_due is None:
            loop = asyncio.get_running_loop()
            wait = room.flushed_at + COALESCE_SECONDS - loop.time()
            if wait <= 0:
                self.flush(room)
            else:
                room.flush_due = loop.call_later(wait, self.flush, room)

    def flush(self, room: OpenRoom) -> None:
        """Writes what waits. Whoever changes who is live calls it first."""
        if room.flush_due is not None:
            room.flush_due.cancel()
            room.flush_due = None
        if not room.unwritten:
            return
        batch, room.unwritten = Batch(room.unwritten), []
        room.written = room.feed.head
        sockets = room.live()
        for socket in sockets:
            try:
                socket.outlet.write_batch(batch)
            except Exception:  # one connection's fault must not keep the event from the others
                logger.exception("A socket could not be written to")
        room.flushed_at = asyncio.get_running_loop().time()
        metrics.DELIVERIES.inc(len(batch) * len(sockets))

    def advance(self, subscription: Subscription) -> None:
        """Makes a subscription live if memory reaches its position, else reads on from the log."""
        if subscription.suspect or subscription.reading:
            return  # _recheck or _read_on goes on with it
        room = subscription.room
        if not room.feed.reaches(subscription.cursor):
            subscription.reading = True
            self._tasks.spawn(self._read_on(subscription))
            return
        self.flush(room)
        if not subscription.is_current():
            return
        if subscription.cursor < room.feed.head:
            subscription.socket.outlet.write_batch(room.feed.after(subscription.cursor))
        if subscription.is_current():  # a socket too slow for what was just written is gone
            room.make_live(subscription)

    def catch_up_with_log(self, room: OpenRoom) -> None:
        """Reads what has been announced and is not in memory; one reader a room at a time."""
        if room.announced > room.feed.head and room.pulling is None:
            room.pulling = self._tasks.spawn(self.pull(room, room.announced))
            room.pulling.add_done_callback(lambda _: self._pulled(room))

    async def pull(self, room: OpenRoom, target: int) -> None:
        """Reads the log until memory has ``target``."""
        while room.feed.head < target and self._rooms.get(room.id) is room:
            events = await self._pool.run(log.read_after, room.id, room.feed.head, PAGE)
            if not events or events[0].seq > room.feed.head + 1:
                # Announced, but not there: a bell of another incarnation, or pruned. The heal tells.
                room.announced = room.feed.head
                return
            metrics.HEALED_EVENTS.inc(len(events))
            self.take(room, events)

    def _pulled(self, room: OpenRoom) -> None:
        pulling, room.pulling = room.pulling, None
        # After a failure the next heal tries again; a loop here would hammer a database that is away.
        if pulling is not None and not pulling.cancelled() and pulling.exception() is None:
            self.catch_up_with_log(room)

    async def _read_on(self, subscription: Subscription) -> None:
        room = subscription.room
        try:
            async with self._catching_up:
                while subscription.is_current() and not subscription.suspect:
                    if room.feed.reaches(subscription.cursor):
                        break
                    page = await self._pool.run(log.read_after, room.id, subscription.cursor, PAGE)
                    if not subscription.is_current() or subscription.suspect:
                        break
                    if not page or page[0].seq != subscription.cursor + 1:
                        self._rooms.resync(subscription)
                        return
                    subscription.socket.outlet.write_batch(Batch(map(frame_of, page)))
                    subscription.cursor = page[-1].seq
                    if subscription.cursor > room.feed.head:
                        # The log is ahead of what was announced here: bring memory up to it.
                        room.announced = max(room.announced, subscription.cursor)
                        await self.pull(room, subscription.cursor)
        except AppError:
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            logger.exception("A reader could not be brought up to date")
            if subscription.is_current():
                self._rooms.resync(subscription)
        finally:
            subscription.reading = False
        if subscription.is_current():
            self.advance(subscription)

    def _suspect(self, room: OpenRoom, event: LoggedEvent) -> None:
        """Holds back those who may have lost the room, before the event itself is written to anyone."""
        self.flush(room)
        room.forget_reader(event.subject_id)
        everyone = event.subject_id is None
        for subscription in list(room.subscriptions.values()):
            if everyone or subscription.socket.user_id == event.subject_id:
                if subscription.live:
                    room.pause(subscription)
                subscription.suspicions += 1
        if room.rechecking is None and any(s.suspect for s in room.subscriptions.values()):
            room.rechecking = self._tasks.spawn(self._recheck(room))

    async def _recheck(self, room: OpenRoom) -> None:
        """Asks for all who are in doubt at once, until nobody is. Nothing is sent to them meanwhile."""
        try:
            while suspects := {s: s.suspicions for s in room.subscriptions.values() if s.suspect}:
                ids = {s.socket.user_id for s in suspects if s.socket.user_id is not None}
                try:
                    readers = await self._pool.run(access.readers_among, room.id, ids)
                except Exception as error:
                    if not isinstance(error, AppError):
                        logger.exception("The right to read could not be asked for")
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for subscription, suspicions in suspects.items():
                    self._decide(subscription, suspicions, readers)
        finally:
            room.rechecking = None

    def _decide(
        self, subscription: Subscription, suspicions: int, readers: dict[int | None, bool | Code]
    ) -> None:
        """Takes the answer, unless something has raised a newer doubt since it was asked for."""
        if not subscription.is_current() or subscription.suspicions != suspicions:
            return
        answer = readers.get(subscription.socket.user_id, Code.NOT_FOUND)
        if isinstance(answer, Code):
            self._rooms.take_away(subscription, answer)
            return
        subscription.may_write = answer
        subscription.suspicions = 0
        if subscription.started:
            self.advance(subscription)
