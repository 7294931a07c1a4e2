"""The door for server-sent events: one response a client, fed from the hub as sockets are.

``GET /api/v1/stream?room=1&room=2``. It authenticates on the pool and lets go of it; no thread and no
connection of the database is held while it lives. ``Last-Event-ID`` resumes where the client stopped.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from accounts.bearer import bearer_credential
from accounts.credentials import Credential, session_credential
from accounts.models import User
from accounts.scopes import check_scope
from chat.realtime import handshake
from chat.realtime.addresses import Seat
from chat.realtime.cursor import Cursor, parse_cursor
from chat.realtime.feed import Batch, sse_event
from chat.realtime.outlet import Outlet
from chat.realtime.process import Process, current_process
from chat.realtime.protocol import ByeFrame, ResyncFrame, to_frame
from chat.realtime.room import Subscription
from chatproject import limits, metrics
from chatproject.address import scope_address
from chatproject.errors import TABLE, AppError, Code
from chatproject.policies import closed_headers
from chatproject.server import drain
from chatproject.server.streams import STREAM_EXTENSION, ResponseSocket

logger = logging.getLogger(__name__)

MAX_ROOMS = 50
PROBLEM = b"application/problem+json"
MAX_UNSENT_BYTES = 1024 * 1024
STALLED_BYTES = 64 * 1024
BEAT_SECONDS = 15.0
STALL_SECONDS = 5.0
# Told in other ways to a stream: heads by its heartbeat; typing and read marks are for pages.
_UNSEEN = (b'{"type":"heads"', b'{"type":"typing"', b'{"type":"read"')


class Stream:
    """One response; to the hub a socket. It is its own outlet."""

    def __init__(self, scope: Mapping[str, Any], send: Callable[[Any], Awaitable[None]]) -> None:
        self.user: User | None = None
        self.user_id: int | None = None
        self.credential: Credential | None = None
        self.rooms: set[int] = set()
        self.closed = False
        self.outlet: Outlet = self
        self._scope = scope
        self._send = send
        self._process: Process = current_process()
        self._direct: ResponseSocket | None = scope.get("extensions", {}).get(STREAM_EXTENSION)
        self._seat: Seat | None = None
        self._seqs: dict[int, int] = {}
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queued = 0
        self._ended = asyncio.Event()

    # --- what the hub writes ------------------------------------------------------------------------

    def write(self, frame: bytes) -> None:
        """A frame for this connection alone, as an event named by its type."""
        if self.closed or frame.startswith(_UNSEEN):
            return
        self._put(sse_event("", msgspec.json.decode(frame)["type"], frame))

    def write_batch(self, batch: Batch) -> None:
        """Events that others get too."""
        if self.closed or not batch:
            return
        last = batch.frames[-1].event.payload
        if len(self._seqs) == 1:
            self._seqs[last.room] = last.seq
            self._put(batch.stream(self._epoch, last.room))
            return
        parts = []
        for frame in batch.frames:
            self._seqs[last.room] = frame.event.seq
            parts.append(sse_event(Cursor(self._epoch, self._seqs).text(), "event", frame.json))
        self._put(b"".join(parts))

    def close(self, code: int) -> None:
        """The response ends after what was written."""
        self._queue.put_nowait(None)
        self._ended.set()

    def end(self, code: int, reason: str, retry_after: float | None = None) -> None:
        """Says why and ends."""
        if self.closed:
            return
        wait = f"retry: {math.ceil(retry_after * 1000)}\n\n".encode() if retry_after is not None else b""
        self._put(wait + sse_event("", "bye", to_frame(ByeFrame(code, reason, retry_after))))
        self.closed = True
        self._process.hub.close_all(self)
        self.close(code)

    def _put(self, data: bytes) -> None:
        if self._direct is not None:
            unsent = self._direct.write(data)
        else:
            self._queue.put_nowait(data)
            self._queued += len(data)
            unsent = self._queued
        if unsent > MAX_UNSENT_BYTES:
            self._drop()

    def _drop(self) -> None:
        """Nobody reads: what waits is of no use."""
        metrics.SLOW_READERS.inc()
        self.closed = True
        self._process.hub.close_all(self)
        if self._direct is not None:
            self._direct.cut()
        self._ended.set()

    # --- its life -----------------------------------------------------------------------------------

    async def run(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """Answers the request, until the client goes or the stream is ended."""
        try:
            wanted, cursor = self._parse()
            await self._admit()
            opened, resync = await self._open(wanted, cursor)
            await self._start(opened, resync)
            await self._live(receive)
        except AppError as refusal:  # none is raised once the response has begun
            await self._refuse(refusal)
        finally:
            self._leave()

    def _parse(self) -> tuple[list[int], Cursor | None]:
        if self._scope["method"] != "GET":
            raise AppError(Code.INVALID, "A stream is got.")
        query = parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        unknown = {name for name, _ in query} - {"room"}
        if unknown:
            raise AppError(Code.INVALID, fields={name: ["This field is unknown."] for name in unknown})
        numbers = [value for _, value in query]
        if not all(value.isascii() and value.isdigit() and len(value) < 19 for value in numbers):
            raise AppError(Code.INVALID, fields={"room": ["A room is a number."]})
        wanted = list(dict.fromkeys(map(int, numbers)))
        if not 1 <= len(wanted) <= MAX_ROOMS:
            raise AppError(Code.INVALID, fields={"room": [f"Give 1 to {MAX_ROOMS} rooms."]})
        return wanted, parse_cursor(self._header(b"last-event-id").decode("latin-1"))

    async def _admit(self) -> None:
        if drain.draining():
            raise AppError(Code.UNAVAILABLE, retry_after=1.0)
        address = scope_address(self._scope)
        await limits.acheck(limits.SOCKETS_PER_ADDRESS, address)
        self._seat = self._process.addresses.take(address)
        found = await self._process.pool.run(self._authenticate)
        if found is not None:
            self.user, self.credential = found
            self.user_id = self.user.pk
            for scope in ("realtime", "messages:read"):
                check_scope(self.credential.scopes, scope)
            await limits.acheck(limits.SOCKETS_PER_PERSON, self.user_id)
            self._seat.name()
        if not self._process.hub.people.add(self):
            raise AppError(Code.RATE_LIMITED, "Too many connections at once.", retry_after=30.0)
        self._process.count(self)

    def _authenticate(self) -> tuple[User, Credential] | None:
        """By bearer token, else by the cookie of our own pages; nobody without either."""
        header = self._header(b"authorization")
        if header:
            found = bearer_credential(header)
            if found is None:
                raise AppError(Code.UNAUTHENTICATED)
            return found
        if self._header(b"sec-fetch-site") != b"same-origin" and not handshake.origin_is_allowed(self._scope):
            return None
        return session_credential(handshake.cookie_of(self._scope))

    async def _open(self, wanted: list[int], cursor: Cursor | None) -> tuple[list[Subscription], list[int]]:
        """Subscriptions to follow, and the rooms that the client must load again. All rooms or none."""
        opened, resync = [], []
        self._epoch = await self._process.hub.epoch()
        for room in wanted:
            after = cursor.seqs.get(room) if cursor else None
            subscription, reply = await self._process.hub.open(
                self, room, after, cursor.epoch if cursor else None
            )
            self._seqs[room] = reply["head"] if after is None or reply["resync"] else after
            if reply["resync"]:
                resync.append(room)
            else:
                opened.append(subscription)
        return opened, resync

    async def _start(self, opened: list[Subscription], resync: list[int]) -> None:
        headers = [
            *closed_headers(),
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # Something to begin with: the headers go out with the first bytes, and the client knows its place.
        start = f"id: {Cursor(self._epoch, self._seqs).text()}\n: open\n\n".encode()
        await self._send({"type": "http.response.body", "body": start, "more_body": True})
        metrics.SOCKETS.inc()
        for room in resync:
            self.write(to_frame(ResyncFrame(room, self._epoch)))
        for subscription in opened:
            self._process.hub.follow(subscription)

    async def _live(self, receive: Callable[[], Awaitable[Any]]) -> None:
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._wait_for_end(receive), self._beat(), self._ended.wait(), self._flush())
        ]
        try:
            await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
            if self._direct is None and self._ended.is_set():
                await tasks[3]
            if self._ended.is_set():
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            metrics.SOCKETS.dec()
            for task in tasks:
                task.cancel()

    async def _wait_for_end(self, receive: Callable[[], Awaitable[Any]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _beat(self) -> None:
        """A comment now and then, so that a dead connection is noticed; and an end for who does not read."""
        since_beat, stalled = 0.0, False
        while True:
            await asyncio.sleep(STALL_SECONDS)
            since_beat += STALL_SECONDS
            unsent = self._direct.unsent() if self._direct is not None else self._queued
            if stalled and unsent > STALLED_BYTES:
                self._drop()
                return
            stalled = unsent > STALLED_BYTES
            if since_beat >= BEAT_SECONDS:
                since_beat = 0.0
                self._put(b": beat\n\n")

    async def _flush(self) -> None:
        """The way out under other servers."""
        while (data := await self._queue.get()) is not None:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._queued -= len(data)

    async def _refuse(self, refusal: AppError) -> None:
        row = TABLE[refusal.code]
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": str(refusal.code),
            "status": row.status,
            "code": refusal.code,
            "detail": refusal.message,
        }
        if refusal.fields:
            body["fields"] = refusal.fields
        headers = [*closed_headers(), (b"content-type", PROBLEM), (b"cache-control", b"no-store")]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", str(max(1, math.ceil(refusal.retry_after))).encode()))
        if refusal.code is Code.UNAUTHENTICATED:
            headers.append((b"www-authenticate", b"Bearer"))
        await self._send({"type": "http.response.start", "status": row.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": msgspec.json.encode(body)})

    def _leave(self) -> None:
        self.closed = True
        self._process.hub.close_all(self)
        self._process.uncount(self)
        if self._seat is not None:
            self._seat.leave()
        self._process.hub.people.remove(self)

    def _header(self, name: bytes) -> bytes:
        return next((value for key, value in self._scope["headers"] if key == name), b"")


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of ``/api/v1/stream``."""
    try:
        await Stream(scope, send).run(receive)
    except Exception:
        logger.exception("A stream failed")
        raise
