"""WebSocket as Daphne speaks it, with a direct way for ready frames and an end for peers that do not read.

Twisted's ``write`` puts bytes into a list, asks the poller for the socket and sends them in a later turn of
the loop: four system calls and two copies. A ready frame for a peer that has read everything needs one
``send``. The attributes used for it are not public, so each connection is looked at first, and whatever is
not as expected goes through ``write``.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import tcp

# A peer that takes nothing for this long although more than Twisted's bufferSize (64 KiB) waits is dropped.
STALL_SECONDS = 5.0
# What a peer may send at a stretch and in the long run, in frames or parts of frames. The 64 commands that a
# client may have outstanding are far below; a flood costs the others no more than this, whatever is in it.
FRAMES_AT_ONCE = 256
FRAMES_PER_SECOND = 2000.0
REST_SECONDS = 0.05
_USED = ("dataBuffer", "_tempDataLen", "socket")


class FrameProtocol(WebSocketProtocol):  # type: ignore[misc]  # daphne is not typed
    """One connection; a ``FrameSocket``. To Twisted it is its own producer: full buffers are told to it."""

    transport: Any
    on_stalled: Callable[[], None] | None = None
    _direct = False
    _stalled: asyncio.TimerHandle | None = None
    _share = float(FRAMES_AT_ONCE)
    _shared_at = 0.0
    _resting: asyncio.TimerHandle | None = None

    def onOpen(self) -> None:
        super().onOpen()
        self._direct = can_be_written_directly(self.transport)
        self.transport.registerProducer(self, True)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.on_stalled = None  # it leads to the application, which leads here
        if self._resting is not None:
            self._resting.cancel()
        super().onClose(wasClean, code, reason)

    def consumeData(self) -> None:
        """Autobahn's, one share at a time: a peer that has used its own is not read for a while, and TCP
        holds back what it sends."""
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        if self._resting is not None:
            return
        now = asyncio.get_running_loop().time()
        grown = self._share + (now - self._shared_at) * FRAMES_PER_SECOND
        self._share, self._shared_at = min(grown, FRAMES_AT_ONCE), now
        while self.processData() and self.state != self.STATE_CLOSED:
            self._share -= 1
            if self._share < 1:
                self._rest()
                return

    def _rest(self) -> None:
        self.transport.pauseProducing()
        self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._resting = None
        self.transport.resumeProducing()
        self.consumeData()

    def write_frames(self, frames: bytes) -> int:
        if self.state != self.STATE_OPEN:
            return 0
        transport = self.transport
        if self._direct:
            if not transport.dataBuffer and not transport._tempDataLen:
                try:
                    sent = transport.socket.send(frames)
                except (OSError, AttributeError):  # full, or gone: Twisted finds out which
                    sent = 0
                if sent == len(frames):
                    return 0
                frames = frames[sent:]
            transport.write(frames)
            return len(transport.dataBuffer) + int(transport._tempDataLen)
        transport.write(frames)
        return 0

    def begin_close(self, code: int) -> None:
        self.serverClose(code)

    def pauseProducing(self) -> None:
        """Twisted has more for this peer than it takes."""
        if self._stalled is None:
            self._stalled = asyncio.get_running_loop().call_later(STALL_SECONDS, self._give_up)

    def resumeProducing(self) -> None:
        """The peer has read everything."""
        self.stopProducing()

    def stopProducing(self) -> None:
        """The connection has gone."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _give_up(self) -> None:
        self._stalled = None
        if self.on_stalled is not None and self.state == self.STATE_OPEN:
            self.on_stalled()
        else:
            self.dropConnection(abort=True)


class FrameFactory(WebSocketFactory):  # type: ignore[misc]  # daphne is not typed
    """Makes connections that take ready frames."""

    protocol = FrameProtocol


def can_be_written_directly(transport: Any) -> bool:
    """Whether ``transport`` is a plain TCP connection of the Twisted that this was written for."""
    return isinstance(transport, tcp.Connection) and all(hasattr(transport, name) for name in _USED)
