"""A network that a test can take away: a small TCP proxy between a browser and the server."""

import contextlib
import socket
import threading


class Wire:
    """Passes bytes both ways until it is cut; then no connection lives and none is made.

    ``url`` is the address that the browser opens; the server must be started with it as its SITE_URL, and
    its address told with ``lead_to``. ``mute`` lets no byte from the server through any more: what is sent
    arrives, and no answer comes.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._target: tuple[str, int] | None = None
        self._is_cut = False
        self._is_mute = False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, address: tuple[str, int]) -> None:
        self._target = address

    def mute(self) -> None:
        self._is_mute = True

    def cut(self) -> None:
        self._is_cut = True
        for end in list(self._open):
            self._close(end)

    def mend(self) -> None:
        self._is_cut = self._is_mute = False

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut or self._target is None:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._pass, args=(source, sink, sink is near), daemon=True
                    ).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not (is_answer and self._is_mute):
                    sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _close(self, end: socket.socket) -> None:
        self._open.discard(end)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
