"""Asks our own listening socket whether the server is ready, without ever blocking the parent."""

import socket
import time
from urllib.parse import urlsplit

AGAIN_SECONDS = 0.1


class Probe:
    """One request for /readyz at a time, until one is answered with 200."""

    def __init__(self, listening: socket.socket, *, site_url: str) -> None:
        self.listening = listening
        self.host = urlsplit(site_url).netloc
        self.connection: socket.socket | None = None
        self.answer = b""
        self.next_at = 0.0

    def answered_ready(self) -> bool:
        """Whether the server has answered 200; asks (again) when no question is open."""
        if self.connection is None:
            if time.monotonic() >= self.next_at:
                self._ask()
            return False
        try:
            chunk = self.connection.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        self.answer += chunk
        if chunk and b"\r\n" not in self.answer:
            return False
        ready = self.answer.split(b"\r\n")[0].split(b" ")[1:2] == [b"200"]
        self.close()
        return ready

    def waits_for(self) -> list[socket.socket]:
        """What becomes readable when there is an answer to look at."""
        return [self.connection] if self.connection else []

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
            self.next_at = time.monotonic() + AGAIN_SECONDS

    def _ask(self) -> None:
        self.answer = b""
        self.connection = socket.socket(self.listening.family)
        # The kernel completes the connection for the listening socket before any process accepts it.
        self.connection.settimeout(1.0)
        try:
            self.connection.connect(self._address())
            self.connection.sendall(
                f"GET /readyz HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode()
            )
            self.connection.setblocking(False)
        except OSError:
            self.close()

    def _address(self) -> tuple[str, int] | str:
        name = self.listening.getsockname()
        if self.listening.family not in (socket.AF_INET, socket.AF_INET6):
            return str(name)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name[0], name[0])  # noqa: S104
        return host, int(name[1])
