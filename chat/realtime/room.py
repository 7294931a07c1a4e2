"""A room that this process has open, who follows it, and how far each has come."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from accounts.credentials import Credential
from accounts.models import User
from chat.payloads import Person
from chat.realtime.feed import Feed, Frame
from chat.realtime.outlet import Outlet
from chat.realtime.protocol import TypingFrame, to_frame

MAX_READERS_KNOWN = 10_000
TYPING_TTL_SECONDS = 6.0
TYPING_COALESCE_SECONDS = 0.3
MAX_TYPISTS_SHOWN = 10


# Someone whose right to read is known: id and whether they are a guest; None for visitors without a name.
Reader = tuple[int, bool] | None


class Socket(Protocol):
    """What the hub needs of a connection. ``write`` never raises and never waits.

    Events go straight to ``outlet``: with hundreds of sockets each call on the way is felt.
    """

    user: User | None
    user_id: int | None
    credential: Credential | None
    rooms: set[int]
    closed: bool
    outlet: Outlet

    def write(self, frame: bytes) -> None: ...

    def end(self, code: int, reason: str, retry_after: float | None = None) -> None: ...


class Subscription:
    """One socket in one room. ``cursor`` is the last seq written to it while it is not live.

    One that is not *admitted* yet waits for ``access``'s first answer: outside, it does not exist. A
    *suspect* one is sent nothing until ``access`` has been asked again.
    """

    __slots__ = (
        "admitted",
        "cursor",
        "live",
        "may_write",
        "reading",
        "room",
        "socket",
        "started",
        "suspicions",
    )

    def __init__(self, room: "OpenRoom", socket: Socket) -> None:
        self.room = room
        self.socket = socket
        self.cursor = 0
        self.admitted = False
        self.live = False
        self.started = False
        self.reading = False
        self.suspicions = 0
        self.may_write = False

    @property
    def suspect(self) -> bool:
        """Whether the right to read is in doubt."""
        return self.suspicions > 0

    def is_current(self) -> bool:
        """Whether it has neither ended nor been replaced."""
        return self.room.subscriptions.get(self.socket) is self


class OpenRoom:
    """A room's memory and its subscriptions.

    ``announced`` is the highest seq heard of, ``written`` the highest that live sockets have been sent;
    ``unwritten`` waits for the flush between them.
    """

    def __init__(self, room_id: int) -> None:
        self.id = room_id
        self.feed = Feed(0)
        self.opening = True
        self.opened: asyncio.Task[None]
        self.waiting = 0
        self.announced = 0
        self.written = 0
        self.unwritten: list[Frame] = []
        self.flushed_at = 0.0
        self.flush_due: asyncio.TimerHandle | None = None
        self.pulling: asyncio.Task[None] | None = None
        self.rechecking: asyncio.Task[None] | None = None
        self.subscriptions: dict[Socket, Subscription] = {}
        self._live: dict[Socket, None] = {}
        self._readers: dict[Reader, bool] = {}
        self.typing = Typists(room_id, self._write_to_live)

    @property
    def has_readers(self) -> bool:
        """Whether someone was let in whose right has not been doubted since."""
        return bool(self._readers)

    def start(self, head: int) -> None:
        """Its log stands at ``head``; from here on nothing is missed."""
        self.feed = Feed(head)
        self.written = head
        self.opening = False

    def may_write(self, user: User | None) -> bool | None:
        """Whether ``user``, who may read here, may write too; None when ``access`` has to be asked."""
        return self._readers.get(_reader(user))

    def remember_reader(self, user: User | None, *, may_write: bool) -> None:
        """``access`` has let ``user`` in. Holds until an event of the log gives reason to doubt it."""
        if len(self._readers) >= MAX_READERS_KNOWN:
            self._readers.clear()
        self._readers[_reader(user)] = may_write

    def forget_reader(self, user_id: int | None) -> None:
        """The right of one person, or of everyone, has to be asked for again."""
        if user_id is None:
            self._readers.clear()
        else:
            self._readers.pop((user_id, False), None)
            self._readers.pop((user_id, True), None)

    def add(self, socket: Socket) -> Subscription:
        """A new subscription, in place of an earlier one of the same socket."""
        earlier = self.subscriptions.get(socket)
        if earlier is not None:
            self.remove(earlier)
        subscription = self.subscriptions[socket] = Subscription(self, socket)
        socket.rooms.add(self.id)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Ends a subscription."""
        subscription.live = False
        self._live.pop(subscription.socket, None)
        del self.subscriptions[subscription.socket]
        subscription.socket.rooms.discard(self.id)

    def make_live(self, subscription: Subscription) -> None:
        """From now on it gets what is appended."""
        subscription.live = True
        self._live[subscription.socket] = None

    def pause(self, subscription: Subscription) -> None:
        """It gets nothing more; its position is kept."""
        subscription.live = False
        subscription.cursor = self.written
        del self._live[subscription.socket]

    def live(self) -> list[Socket]:
        """The sockets that get what is appended now."""
        return list(self._live)

    def _write_to_live(self, frame: bytes) -> None:
        for socket in self.live():
            socket.write(frame)


def _reader(user: User | None) -> Reader:
    return None if user is None else (user.pk, user.is_guest)


class Typists:
    """Who is writing in a room. Kept in memory only, told at most a few times a second."""

    def __init__(self, room_id: int, write: Callable[[bytes], None]) -> None:
        self._room_id = room_id
        self._write = write
        self._until: dict[int, tuple[Person, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, person: Person) -> bool:
        """``person`` writes, for the next few seconds; whether that is worth telling others again."""
        now = asyncio.get_running_loop().time()
        known = self._until.get(person.id)
        self._until[person.id] = (person, now + TYPING_TTL_SECONDS)
        if known is None:
            self._tell_in(TYPING_COALESCE_SECONDS)
        return known is None or known[1] - now < TYPING_TTL_SECONDS / 2

    def stopped(self, user_id: int) -> None:
        """Their message is here; they write no longer."""
        if self._until.pop(user_id, None) is not None:
            self._tell_in(0)

    def _tell_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._tell)

    def _tell(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self._until = {key: value for key, value in self._until.items() if value[1] > now}
        people = [person for person, _ in self._until.values()][:MAX_TYPISTS_SHOWN]
        self._write(to_frame(TypingFrame(self._room_id, people)))
        if self._until:
            self._tell_in(min(until for _, until in self._until.values()) - now + 0.01)
