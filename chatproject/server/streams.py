"""What our server offers an ASGI application for a response that goes on and on: its bytes written at once,
and how many of them the peer has not taken yet.

Where ``scope["extensions"]`` has no ``STREAM_EXTENSION``, the server is another one and ``send``
is the only way.
"""

from typing import Any

from chatproject.server.websocket import can_be_written_directly

STREAM_EXTENSION = "chatproject.stream"


class ResponseSocket:
    """One response, to be used on the event loop after its headers were sent."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def write(self, data: bytes) -> int:
        """Sends ``data`` after what was sent before; the number of bytes that wait for the peer.

        Never raises, never waits. Nothing is sent once the peer has gone.
        """
        if not self._request.finished and not self._request._disconnected:
            self._request.write(data)
        return self.unsent()

    def unsent(self) -> int:
        """How many bytes wait in this process because the peer does not read."""
        transport = self._request.transport
        if not can_be_written_directly(transport):
            return 0
        return len(transport.dataBuffer) + int(transport._tempDataLen)

    def cut(self) -> None:
        """Ends the connection without a word: nobody reads it."""
        transport = self._request.transport
        if transport is not None:
            transport.abortConnection()
