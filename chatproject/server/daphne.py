"""Daphne's server with our listening socket, limits, deadlines and drain."""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from typing import Any

from daphne.server import Server as DaphneServer
from twisted.internet import defer
from twisted.internet import reactor as installed_reactor
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)

from chatproject.server import drain
from chatproject.server.frames import EXTENSION
from chatproject.server.http import BoundedFactory
from chatproject.server.streams import STREAM_EXTENSION, ResponseSocket
from chatproject.server.websocket import FrameFactory

logger = logging.getLogger(__name__)
# Whichever one is installed; its class is known only at run time.
reactor: Any = installed_reactor

# A silent peer is dropped after at most PING_SECONDS + 2 (the period of Daphne's check) + PONG_SECONDS.
# The pong's deadline stays below the ping's period: a second ping would overwrite the first one's timer.
PING_SECONDS = 10
PONG_SECONDS = 9
# Twice what the protocol allows: between the two the consumer answers too_large, above it Autobahn closes.
MAX_FRAME_BYTES = 131_072
HANDSHAKE_SECONDS = 5
DRAIN_CALLBACK_SECONDS = 5.0
DRAIN_SECONDS = 8.0
EXIT_SECONDS = 9.5


class Server(DaphneServer):  # type: ignore[misc]  # daphne is not typed
    """Serves ``application`` from a socket that already listens, until SIGTERM or SIGINT."""

    def __init__(self, application: Any, *, listening: socket.socket) -> None:
        super().__init__(
            application,
            endpoints=["inherited"],
            signal_handlers=False,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            websocket_timeout=-1,
            websocket_connect_timeout=HANDSHAKE_SECONDS,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            websocket_max_message_size=MAX_FRAME_BYTES,
            websocket_max_frame_size=MAX_FRAME_BYTES,
            server_name="",
        )
        self.listening = listening
        self.port: Any = None
        self.drain_task: asyncio.Task[None] | None = None

    def run(self) -> None:
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = BoundedFactory(self)
        self.ws_factory = FrameFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            # A violation is answered with a close code instead of a cut.
            failByDrop=False,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        _send_twisted_errors_to_logging()
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.begin_drain)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        self.port = reactor.adoptStreamPort(self.listening.fileno(), self.listening.family, self.http_factory)
        # The port has its own duplicate; this one would keep the socket open after stopListening.
        self.listening.close()
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run(installSignalHandlers=False)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Offers sockets the direct way for ready frames, and responses that of bytes."""
        if scope["type"] == "websocket":
            scope["extensions"] = {EXTENSION: protocol}
        else:
            scope["extensions"] = {STREAM_EXTENSION: ResponseSocket(protocol)}
        return super().create_application(protocol, scope)

    def begin_drain(self) -> None:
        """Stop in good order; asking again changes nothing."""
        if self.drain_task is None:
            end = threading.Timer(EXIT_SECONDS, os._exit, args=(1,))
            end.daemon = True
            end.start()
            self.drain_task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        try:
            # Still listening here: a proxy that asks /readyz learns that it should look elsewhere.
            await drain.begin(seconds=DRAIN_CALLBACK_SECONDS)
            await self.port.stopListening().asFuture(asyncio.get_running_loop())
            while self._requests_in_flight() and time.monotonic() < deadline:  # noqa: ASYNC110  daphne tells nobody
                await asyncio.sleep(0.02)
        finally:
            reactor.stop()

    def _requests_in_flight(self) -> int:
        """HTTP requests that an application is still answering."""
        return sum(
            1
            for protocol, details in self.connections.items()
            if getattr(protocol, "application_type", "http") == "http"
            and "disconnected" not in details
            and "application_instance" in details
            and not details["application_instance"].done()
        )

    def kill_all_applications(self) -> Any:
        """Cancel what still runs. Daphne's own fails on a request whose body has not yet arrived."""
        running = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details and not details["application_instance"].done()
        ]
        for instance in running:
            instance.cancel()
        ended = defer.Deferred.fromFuture(asyncio.gather(*running, return_exceptions=True))
        return ended.addErrback(lambda _: None)


def _send_twisted_errors_to_logging() -> None:
    """Errors reach our logs; Twisted's account of each connection does not."""
    only_errors: Any = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
    logs: Any = STDLibLogObserver("twisted")
    errors: Any = FilteringLogObserver(logs, [only_errors])
    globalLogBeginner.beginLoggingTo([errors], redirectStandardIO=False, discardBuffer=True)
