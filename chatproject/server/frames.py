"""What our server offers an ASGI application beyond ASGI: ready WebSocket frames, written at once.

An application that sends the same bytes to many sockets builds them once and hands them to each. Where
``scope["extensions"]`` has no ``EXTENSION``, the server is another one and ``send`` is the only way.
"""

from collections.abc import Callable
from typing import Protocol

EXTENSION = "chatproject.frames"


class FrameSocket(Protocol):
    """The value of the extension: one connection, to be used on the event loop after ``accept``.

    ``on_stalled`` is called once when the peer has read nothing for STALL_SECONDS though bytes wait for it.
    """

    on_stalled: Callable[[], None] | None

    def write_frames(self, frames: bytes) -> int:
        """Sends whole frames after what was sent before; never raises, never waits.

        The number of bytes that wait in this process because the peer does not read. Nothing is sent
        once the close has begun.
        """

    def begin_close(self, code: int) -> None:
        """Sends a close frame with ``code`` and cuts a peer that does not answer it."""


def text_frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2) of UTF-8 ``payload``."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
