"""One Valkey (or Redis) on a Unix socket. It keeps nothing: what it holds may be lost at any time."""

import os
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from chatproject.launcher.errors import LauncherError
from chatproject.launcher.processes import end_leftovers, open_log, spawn, stop, wait_until

START_SECONDS = 20.0


class Valkey:
    """A server that works in ``folder`` and answers on a socket in ``sockets``."""

    name = "Valkey"

    def __init__(self, *, program: Path, folder: Path, sockets: Path, log: Path) -> None:
        self.program = program
        self.folder = folder
        self.socket = sockets / "valkey"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What REDIS_URL becomes."""
        return f"unix://{quote(os.fspath(self.socket))}"

    def start(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        end_leftovers(self.folder)
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": os.fspath(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "loglevel": "warning",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with open_log(self.log) as log:
            self.process = spawn(
                [self.program, *arguments], death_signal=signal.SIGTERM, output=log, folder=self.folder
            )

    def wait_ready(self) -> None:
        """Return once it answers. Raises LauncherError with the log's last lines otherwise."""
        if not wait_until(lambda: self.died() or self._answers(), seconds=START_SECONDS) or self.died():
            tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
            raise LauncherError(f"Valkey did not start; the end of {self.log}:\n{tail}")

    def died(self) -> bool:
        """Whether it was started and has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, steps=((signal.SIGTERM, 5.0),))
            self.process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(os.fspath(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
