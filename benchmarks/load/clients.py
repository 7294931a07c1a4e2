"""Sockets of the load client, and the audience that checks what each of them receives.

Readers are cheap: a frame that equals the one that the first reader got at this place costs one
comparison. So every reader is held to every event, exactly once and in order, on every run.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import picows

from benchmarks.load.dialects import Acknowledgement, Dialect, seq_of

ANSWER_SECONDS = 30.0
TEXT = picows.WSMsgType.TEXT
GREETING_REF = 0
JOIN_REF = 1
TEXT_OF_A_MESSAGE = "The quick brown fox jumps over the lazy dog and then walks home. " * 2


class WrongDelivery(Exception):
    """A reader missed an event, got one twice, or in another order. The measurement is worth nothing."""


@dataclass(slots=True)
class Audience:
    """The readers of one room and the events that each of them must receive exactly once.

    ``completed(place)`` is called when the last reader has the event at ``place``. With ``in_order`` the
    order is checked too; otherwise ``out_of_order`` counts deliveries that came before their turn.
    """

    size: int
    in_order: bool = True
    events: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    out_of_order: int = 0
    completed: Callable[[int], None] = lambda _: None
    failure: str | None = None
    _places: dict[bytes, int] = field(default_factory=dict)

    def place_of(self, payload: bytes) -> int:
        """Where an event stands: where it came first, if it is new."""
        place = self._places.setdefault(payload, len(self.events))
        if place == len(self.events):
            self.events.append(payload)
            self.counts.append(0)
        return place

    def check(self, sent: int) -> None:
        """Raises WrongDelivery unless every reader has each of ``sent`` events once, and nothing else."""
        if self.failure:
            raise WrongDelivery(self.failure)
        if len(self.events) != sent or any(count != self.size for count in self.counts):
            lacking = sum(count != self.size for count in self.counts)
            raise WrongDelivery(
                f"{sent} sent, {len(self.events)} seen, {lacking} of them not by every reader"
            )
        seqs = list(map(seq_of, self.events))
        if seqs and sorted(seqs) != list(range(min(seqs), min(seqs) + sent)):
            raise WrongDelivery("the seqs of the events have holes or repeats")
        if self.in_order and self.disorder():
            raise WrongDelivery("events came out of order")

    def disorder(self) -> int:
        """How many deliveries came before their turn, and how often the order itself was not that of seq."""
        seqs = list(map(seq_of, self.events))
        return self.out_of_order + sum(before > after for before, after in pairwise(seqs))


class Link(picows.WSListener):  # type: ignore[misc]  # picows may be absent where types are checked
    """One socket. Requests have refs; events go to the audience, if it has one."""

    def __init__(self, dialect: Dialect, audience: Audience | None = None) -> None:
        self.dialect = dialect
        self.audience = audience
        # All events before this place have come, and those of ``_early`` after it.
        self.received = 0
        self._early: set[int] = set()
        self.closed = False
        self.on_acknowledged: Callable[[int], None] | None = None
        self.last_reply = b""
        self.refusal: str | None = None
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.closed = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the server closed the socket"))

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type != TEXT:
            if frame.msg_type == picows.WSMsgType.CLOSE:
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        audience = self.audience
        if audience is not None:
            place = self.received
            if place < len(audience.events) and payload == audience.events[place] and not self._early:
                # The same as _take, without the call: this line of the client runs most often by far.
                self.received = place + 1
                audience.counts[place] += 1
                if audience.counts[place] == audience.size:
                    audience.completed(place)
                return
        self._other(payload)

    def send(self, payload: bytes) -> None:
        self.transport.send(TEXT, payload)

    async def ask(self, ref: int, payload: bytes) -> None:
        """Sends a request and returns when it has been answered well. Raises RuntimeError if refused."""
        future = self._waiting[ref] = asyncio.get_running_loop().create_future()
        self.send(payload)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await future
        finally:
            del self._waiting[ref]

    async def enter(
        self, room: int | None, ticket: str | None, *, after: int | None = None, epoch: str | None = None
    ) -> None:
        """Greets and joins ``room``."""
        await self.greet(ticket)
        if room is not None:
            await self.ask(JOIN_REF, self.dialect.join(JOIN_REF, room, after, epoch))

    async def greet(self, ticket: str | None) -> None:
        for greeting, answered in self.dialect.greetings(ticket):
            if answered:
                await self.ask(GREETING_REF, greeting)
            else:
                self.send(greeting)

    def cut(self) -> None:
        """Ends the connection without a farewell."""
        self.transport.underlying_transport.abort()

    def close(self) -> None:
        self.transport.disconnect()

    def _other(self, payload: bytes) -> None:
        dialect = self.dialect
        if self.audience is not None and dialect.is_event(payload):
            self._take(self.audience, self.audience.place_of(payload))
            return
        acknowledgement = dialect.acknowledgement(payload)
        if acknowledgement is not None:
            self.last_reply = payload
            self._acknowledge(acknowledgement)
            return
        answer = dialect.answer(payload)
        if answer is not None:
            self.send(answer)

    def _take(self, audience: Audience, place: int) -> None:
        if place == self.received:
            self.received += 1
            while self._early and self.received in self._early:
                self._early.remove(self.received)
                self.received += 1
        elif place > self.received and place not in self._early:
            self._early.add(place)
            audience.out_of_order += 1
        else:
            audience.failure = f"a reader got an event twice: {audience.events[place][:300]!r}"
            return
        audience.counts[place] += 1
        if audience.counts[place] == audience.size:
            audience.completed(place)

    def _acknowledge(self, acknowledgement: Acknowledgement) -> None:
        future = self._waiting.get(acknowledgement.ref)
        if future is not None and not future.done():
            if acknowledgement.ok:
                future.set_result(None)
            else:
                future.set_exception(RuntimeError(f"refused: {self.last_reply[:300]!r}"))
        elif self.on_acknowledged is not None:
            if not acknowledgement.ok:
                self.refusal = self.last_reply[:300].decode()
            self.on_acknowledged(acknowledgement.ref)


async def connect(port: int, dialect: Dialect, audience: Audience | None = None) -> Link:
    """A socket before its greeting."""
    _, link = await picows.ws_connect(
        lambda: Link(dialect, audience),
        f"ws://127.0.0.1:{port}{dialect.path}",
        websocket_handshake_timeout=ANSWER_SECONDS,
        disconnect_on_exception=True,
        read_buffer_init_size=4096,
    )
    assert isinstance(link, Link)
    return link


async def enter_all(
    port: int,
    dialect: Dialect,
    room: int,
    tickets: Sequence[str | None],
    *,
    audience: Audience | None = None,
    at_once: int = 32,
) -> list[Link]:
    """One greeted socket in ``room`` for each ticket, ``at_once`` of them on their way at a time."""
    turn = asyncio.Semaphore(at_once)

    async def one(ticket: str | None) -> Link:
        async with turn:
            link = await connect(port, dialect, audience)
            await link.enter(room, ticket)
            return link

    return await asyncio.gather(*(one(ticket) for ticket in tickets))


async def close_all(links: Iterable[Link]) -> None:
    """Closes and returns when all have gone."""
    for link in links:
        link.close()
    await asyncio.gather(*(link.transport.wait_disconnected() for link in links))


@dataclass(slots=True)
class Flood:
    """Keeps up to ``in_flight`` messages on their way to an audience; a message has arrived with its last
    reader. ``delays`` are in seconds, by message."""

    sender: Link
    audience: Audience
    room: int
    in_flight: int
    ref: int = 1000
    delays: list[float] = field(default_factory=list)
    _place: int = 0
    _sent_at: dict[int, float] = field(default_factory=dict)
    _until: float = 0.0
    _done: "asyncio.Future[None] | None" = None

    async def run(self, seconds: float) -> None:
        """Sends for ``seconds`` and returns when all of it has arrived. Raises WrongDelivery."""
        self.delays.clear()
        self._done = asyncio.get_running_loop().create_future()
        self._until = time.perf_counter() + seconds
        before = len(self.audience.events)
        self._place = before
        self.audience.completed = self._arrived
        for _ in range(self.in_flight):
            self._send()
        try:
            async with asyncio.timeout(seconds + ANSWER_SECONDS):
                await self._done
        except TimeoutError:
            self.audience.check(before + len(self.delays) + len(self._sent_at))
            raise
        self.audience.check(before + len(self.delays))

    def _send(self) -> None:
        self.ref += 1
        self._sent_at[self._place] = time.perf_counter()
        self._place += 1
        self.sender.send(self.sender.dialect.post(self.ref, self.room, body(self.ref)))

    def _arrived(self, place: int) -> None:
        now = time.perf_counter()
        self.delays.append(now - self._sent_at.pop(place))
        if now < self._until:
            self._send()
        elif not self._sent_at and self._done is not None and not self._done.done():
            self._done.set_result(None)


def body(number: int) -> str:
    """100 characters of plain text that begin with ``number``."""
    return f"{number} {TEXT_OF_A_MESSAGE}"[:100]
