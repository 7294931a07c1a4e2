"""The way out of one connection: ready frames under our server, ASGI's ``send`` under any other.

Both keep the order of what is written, never raise and never wait, and report a peer that does not read.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from chat.realtime.feed import Batch
from chatproject.server.frames import EXTENSION, FrameSocket, text_frame

logger = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 1024 * 1024


class Outlet(Protocol):
    """Where a connection's frames go. ``on_slow`` is called when too much waits for the peer."""

    def write(self, frame: bytes) -> None:
        """Sends one frame, which is JSON."""

    def write_batch(self, batch: Batch) -> None:
        """Sends events that others get too."""

    def close(self, code: int) -> None:
        """Closes after what was written."""


def outlet_for(
    scope: Mapping[str, Any], send: Callable[[Any], Awaitable[None]], *, on_slow: Callable[[], None]
) -> Outlet:
    """The fastest way that the server of this connection has."""
    frames = scope.get("extensions", {}).get(EXTENSION)
    return StandardOutlet(send, on_slow) if frames is None else DirectOutlet(frames, on_slow)


class DirectOutlet:
    """Under our server: the bytes go to the transport in the same turn of the loop."""

    __slots__ = ("_on_slow", "_socket")

    def __init__(self, socket: FrameSocket, on_slow: Callable[[], None]) -> None:
        self._socket = socket
        self._on_slow = on_slow
        socket.on_stalled = on_slow

    def write(self, frame: bytes) -> None:
        if self._socket.write_frames(text_frame(frame)) > MAX_UNSENT_BYTES:
            self._on_slow()

    def write_batch(self, batch: Batch) -> None:
        if self._socket.write_frames(batch.wire) > MAX_UNSENT_BYTES:
            self._on_slow()

    def close(self, code: int) -> None:
        self._socket.begin_close(code)


class StandardOutlet:
    """Under any ASGI server: one message a frame, sent by a task of its own that may have to wait."""

    def __init__(self, send: Callable[[Any], Awaitable[None]], on_slow: Callable[[], None]) -> None:
        self._send = send
        self._on_slow = on_slow
        self._unsent: deque[str] = deque()
        self._unsent_bytes = 0
        self._close_code: int | None = None
        self._sending: asyncio.Task[None] | None = None

    def write(self, frame: bytes) -> None:
        self._queue(frame.decode())

    def write_batch(self, batch: Batch) -> None:
        for text in batch.texts:
            self._queue(text)

    def close(self, code: int) -> None:
        self._close_code = code
        self._wake()

    def _queue(self, text: str) -> None:
        if self._close_code is not None:
            return
        self._unsent.append(text)
        self._unsent_bytes += len(text)
        if self._unsent_bytes > MAX_UNSENT_BYTES:
            self._unsent.clear()
            self._unsent_bytes = 0
            self._on_slow()
        self._wake()

    def _wake(self) -> None:
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._unsent:
                text = self._unsent.popleft()
                self._unsent_bytes -= len(text)
                await self._send({"type": "websocket.send", "text": text})
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except Exception as error:  # the peer went while we wrote; receive() ends the consumer
            logger.debug("A write failed: %s", type(error).__name__)
            self._unsent.clear()
            self._unsent_bytes = 0
        finally:
            self._sending = None
