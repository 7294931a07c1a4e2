"""One hub a process: what the log gains reaches every local socket, in order, once.

Events come from this process's own commits, as copies with the bell of another process, and from the log
whenever these do not follow what is in memory: the log alone decides what there is. A socket that is behind
reads pages of the log and turns live in the loop turn in which its position meets what is in memory.
Everything here runs on the event loop.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any
from uuid import uuid4

from chat import access, log
from chat.actions import members
from chat.log import Heads, LoggedEvent
from chat.payloads import Person
from chat.realtime.delivery import Delivery
from chat.realtime.doorbell import PEOPLE, Doorbell, notification_bell, room_group
from chat.realtime.people import People
from chat.realtime.protocol import HeadsFrame, NotificationFrame, ReadFrame, to_frame
from chat.realtime.room import OpenRoom, Socket, Subscription
from chat.realtime.rooms import Rooms
from chat.realtime.tasks import Tasks
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool

logger = logging.getLogger(__name__)

HEAL_SECONDS = 2.0
HEARTBEAT_SECONDS = 15
# Farther behind than this a client loads a snapshot instead.
MAX_BEHIND = 500


class Hub:
    """Subscriptions of this process and what they are sent."""

    def __init__(self, pool: DatabasePool) -> None:
        self._pool = pool
        self._tasks = Tasks()
        self._name = uuid4().hex
        self.bell = Doorbell(self._answer)
        self.people = People(pool)
        self._rooms = Rooms(pool, self.bell, self._tasks)
        self._delivery = Delivery(pool, self._rooms, self._tasks)

    async def epoch(self) -> str:
        """The database's epoch as of the last look."""
        if not self._rooms.epoch:
            self._rooms.notice(await self._pool.run(log.heads, []))
        return self._rooms.epoch

    def start(self) -> None:
        """Listens to the bell and heals until the process ends."""
        self.bell.start()
        self._tasks.spawn(self._heal_for_ever())
        self._tasks.spawn(self._send_heads_for_ever())
        self._tasks.spawn(self.people.recheck_for_ever())
        self._tasks.spawn(self.people.beat_for_ever())

    def now(self) -> datetime:
        """The database's clock, carried on since the last look at it."""
        return self._rooms.now()

    async def open(
        self, socket: Socket, room_id: int, after: int | None, epoch: str | None
    ) -> tuple[Subscription, dict[str, Any]]:
        """A subscription that ``follow`` starts, and the reply. Raises AppError NOT_FOUND.

        Joins first and reads second: whatever is committed from here on is either in what is read now or
        announced later.
        """
        room = await self._rooms.open(room_id)
        if socket.closed:
            self._rooms.forget_if_empty(room)
            raise AppError(Code.UNAVAILABLE)
        subscription = room.add(socket)  # in the same turn of the loop: an empty room may be forgotten
        self._delivery.catch_up_with_log(room)
        resync = False
        may_write = room.may_write(socket.user)
        if may_write is not None and self._has_in_memory(room, after, epoch):
            subscription.admitted, subscription.may_write = True, may_write
        else:
            try:
                resync = await self._ask(subscription, after, epoch)
            except BaseException:
                self._rooms.drop(subscription)
                raise
        head = room.feed.head
        reply = {"room": room_id, "epoch": self._rooms.epoch, "head": head, "resync": resync}
        subscription.cursor = head if after is None else after
        if resync:
            self._rooms.drop(subscription)
        return subscription, reply

    def forget(self, subscription: Subscription) -> None:
        """Ends this subscription, but not one that has taken its place."""
        self._rooms.drop(subscription)

    def follow(self, subscription: Subscription) -> None:
        """Sends what is missing and then what comes."""
        subscription.started = True
        if subscription.is_current():
            self._delivery.advance(subscription)

    def close(self, socket: Socket, room_id: int) -> None:
        """Ends a subscription; nothing happens where there is none."""
        room = self._rooms.get(room_id)
        if room is not None and socket in room.subscriptions:
            self._rooms.drop(room.subscriptions[socket])

    def close_all(self, socket: Socket) -> None:
        """Ends all subscriptions of a socket that has gone."""
        for room_id in list(socket.rooms):
            self.close(socket, room_id)

    def publish(self, room_id: int, events: list[LoggedEvent]) -> None:
        """Takes events of this process's own commits. Those that do not follow are read from the log."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        room.announced = max(room.announced, events[-1].seq)
        if not room.opening:
            self._delivery.take(room, events)
            self._delivery.catch_up_with_log(room)

    def ring(self, room_id: int, events: list[LoggedEvent]) -> None:
        """Tells the other processes of a commit, with a copy that saves them a look into the log."""
        bell = {"type": "event", "room": room_id, "seq": events[-1].seq, "origin": self._name}
        self.bell.ring(room_group(room_id), bell | {"epoch": self._rooms.epoch, "events": [log.pack(events)]})

    def tell(self, user_ids: list[int], kind: str, data: dict[str, Any]) -> None:
        """Shows something to these people where they are connected to this process."""
        self.people.tell(user_ids, to_frame(NotificationFrame(kind, data)))

    def notify(self, user_ids: list[int], kind: str, data: dict[str, Any]) -> None:
        """``tell``, in every process."""
        self.tell(user_ids, kind, data)
        self.bell.ring(PEOPLE, notification_bell(user_ids, kind, data) | {"origin": self._name})

    def typing(self, socket: Socket, room_id: int, person: Person) -> None:
        """Someone writes. Raises AppError where they may not, or do not follow the room."""
        room = self._rooms.get(room_id)
        subscription = room.subscriptions.get(socket) if room else None
        if room is None or subscription is None or not subscription.admitted:
            raise AppError(Code.NOT_FOUND)
        if not subscription.may_write:
            raise AppError(Code.FORBIDDEN)
        if room.typing.note(person):
            user = {"id": person.id, "display_name": person.display_name, "is_guest": person.is_guest}
            self.bell.ring(room_group(room_id), {"type": "typing", "room": room_id, "user": user})

    async def read(self, socket: Socket, room_id: int, seq: int) -> int:
        """Moves the read mark and tells the person's other sockets."""
        if socket.user is None:
            raise AppError(Code.UNAUTHENTICATED)
        read = await self._pool.run(members.mark_read, socket.user, room_id, seq=seq)
        self._show_read(room_id, socket.user.pk, read, but=socket)
        bell = {"type": "read", "room": room_id, "user": socket.user.pk, "seq": read, "origin": self._name}
        self.bell.ring(room_group(room_id), bell)
        return read

    def _has_in_memory(self, room: OpenRoom, after: int | None, epoch: str | None) -> bool:
        """Whether the room can be followed from ``after`` without a look at the database.

        What another process has committed meanwhile and no bell has told is not missed: it has higher seqs
        and comes later, in its order.
        """
        return after is None or (epoch == self._rooms.epoch and room.feed.reaches(after))

    async def _ask(self, subscription: Subscription, after: int | None, epoch: str | None) -> bool:
        """Lets the subscription in, by ``access`` and the log; whether it must load again instead."""
        room, user = subscription.room, subscription.socket.user
        may_write = await self._pool.run(access.check_may_open, user, room.id)
        heads = await self._pool.run(log.heads, [room.id])
        self._rooms.notice(heads)
        subscription.admitted = True
        subscription.may_write = may_write
        if subscription.is_current() and not subscription.suspect:
            room.remember_reader(user, may_write=subscription.may_write)
        resync = self._must_resync(heads, room.id, after, epoch)
        if not resync and after is not None and after > room.feed.head:
            await self._delivery.pull(room, heads.last[room.id])
        # If it was taken away, or the epoch changed, while this waited, the client loads again.
        return resync or not subscription.is_current()

    def _must_resync(self, heads: Heads, room_id: int, after: int | None, epoch: str | None) -> bool:
        if after is None:
            return False
        if room_id not in heads.last:
            raise AppError(Code.NOT_FOUND)
        last, first = heads.last[room_id], heads.first[room_id]
        return epoch != self._rooms.epoch or not max(first - 1, last - MAX_BEHIND) <= after <= last

    def _answer(self, bell: dict[str, Any]) -> None:
        if bell["type"] == "credentials":
            self._tasks.spawn(self.people.recheck(bell["user"]))
            return
        if bell["type"] == "notification":
            if bell.get("origin") != self._name:
                self.tell(bell["users"], bell["kind"], bell["data"])
            return
        room = self._rooms.get(bell["room"])
        if room is None:
            return
        if bell["type"] == "event":
            if bell.get("origin") != self._name:
                self._hear(room, bell)
        elif bell["type"] == "read" and bell["origin"] != self._name:
            self._show_read(room.id, bell["user"], bell["seq"], but=None)
        elif bell["type"] == "typing":
            room.typing.note(Person(**bell["user"]))

    def _hear(self, room: OpenRoom, bell: dict[str, Any]) -> None:
        """Takes the copies that a bell brings where they follow what is in memory, else reads the log."""
        if bell.get("epoch") == self._rooms.epoch:
            for packed in bell["events"]:
                self.publish(room.id, log.unpack(packed))
        room.announced = max(room.announced, bell["seq"])
        if not room.opening:
            self._delivery.catch_up_with_log(room)

    def _show_read(self, room_id: int, user_id: int, seq: int, *, but: Socket | None) -> None:
        room = self._rooms.get(room_id)
        for subscription in list(room.subscriptions.values()) if room else []:
            if (
                subscription.admitted
                and subscription.socket.user_id == user_id
                and subscription.socket is not but
            ):
                subscription.socket.write(to_frame(ReadFrame(room_id, seq)))

    async def _heal_for_ever(self) -> None:
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            try:
                await self._heal()
            except AppError as error:
                logger.warning("No heal: %s", error.code)
            except Exception:
                logger.exception("The heal failed")

    async def _heal(self) -> None:
        rooms = self._rooms.opened()
        heads = await self._pool.run(log.heads, [room.id for room in rooms])
        self._rooms.notice(heads)
        for room in rooms:
            if self._rooms.get(room.id) is not room:
                continue
            self._rooms.forget_if_empty(room)
            if room.id not in heads.last:
                for subscription in list(room.subscriptions.values()):
                    self._rooms.take_away(subscription, Code.NOT_FOUND)
                self._rooms.forget(room)
                continue
            room.announced = max(room.announced, heads.last[room.id])
            self._delivery.catch_up_with_log(room)

    async def _send_heads_for_ever(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn = (turn + 1) % HEARTBEAT_SECONDS
            for socket in self.people.sockets():
                if id(socket) // 64 % HEARTBEAT_SECONDS == turn:
                    socket.write(to_frame(HeadsFrame(self._heads_of(socket))))

    def _heads_of(self, socket: Socket) -> dict[str, int]:
        rooms = [room for room_id in socket.rooms if (room := self._rooms.get(room_id))]
        found = [room.subscriptions[socket] for room in rooms]
        return {str(s.room.id): s.room.written if s.live else s.cursor for s in found if s.started}
