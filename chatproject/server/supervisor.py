"""The parent: holds the listening socket, starts the serving processes, restarts one that dies.

It imports no Django application code: it is small, starts at once, and never forks what Django loaded.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from chatproject.launcher.processes import spawn
from chatproject.server.probe import Probe

STOP_SECONDS = 9.8
FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
# A process that lived this long was healthy: its death starts the backoff anew.
HEALTHY_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(slots=True)
class Child:
    """One process, the place it holds, and when it may be started again. With ``jobs`` it serves nobody:
    it runs the background jobs."""

    jobs: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Serves ``listening`` with ``processes`` children until SIGTERM or SIGINT, and with ``jobs`` runs those
    beside them. ``site_url`` is announced."""

    listening: socket.socket
    site_url: str
    processes: int = 1
    prepare: str | None = None
    jobs: bool = False
    children: list[Child] = field(default_factory=list)
    metrics_folder: str = ""
    stopping: bool = False
    _wakeup: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def run(self) -> int:
        """The exit status: 0 after a stop that was asked for, 1 when the first process cannot serve."""
        self._listen_to_signals()
        self.metrics_folder = tempfile.mkdtemp(prefix="chat-metrics-", dir=os.environ.get("RUN_FOLDER"))
        try:
            self.children.append(Child())
            self._start(self.children[0], prepare=self.prepare)
            if not self._wait_until_ready():
                return 0 if self.stopping else 1
            more = [Child() for _ in range(self.processes - 1)] + [Child(jobs=True)] * self.jobs
            for child in more:
                self.children.append(child)
                self._start(child)
            print(f"Ready: {self.site_url}/", flush=True)
            while not self.stopping:
                self._wait(self._next_due())
                self._restart_dead()
            return 0
        finally:
            self._stop_all()
            shutil.rmtree(self.metrics_folder, ignore_errors=True)

    def _listen_to_signals(self) -> None:
        for end in self._wakeup:
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup[1].fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _start(self, child: Child, *, prepare: str | None = None) -> None:
        command = [sys.executable, "-m", "chatproject.server.process", "--fd", str(self.listening.fileno())]
        if prepare is not None:
            command += ["--prepare", prepare]
        if child.jobs:
            command = [sys.executable, "manage.py", "work"]
        child.started_at = time.monotonic()
        child.process = spawn(
            command,
            death_signal=signal.SIGTERM,
            environment={**os.environ, "PROMETHEUS_MULTIPROC_DIR": self.metrics_folder},
            pass_fds=[self.listening.fileno()],
        )

    def _wait_until_ready(self) -> bool:
        """Whether the first process came to answer /readyz before it ended or a stop was asked for."""
        probe = Probe(self.listening, site_url=self.site_url)
        try:
            while not self.stopping:
                process = self.children[0].process
                if process is None or process.poll() is not None:
                    return False
                if probe.answered_ready():
                    return True
                self._wait(POLL_SECONDS, *probe.waits_for())
            return False
        finally:
            probe.close()

    def _wait(self, seconds: float, *also: socket.socket) -> None:
        """Sleep until a signal arrives, one of ``also`` can be read, or ``seconds`` have passed."""
        select.select([self._wakeup[0], *also], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            self._wakeup[0].recv(4096)

    def _next_due(self) -> float:
        waiting = [child.due_at - time.monotonic() for child in self.children if child.process is None]
        return max(0.01, min(waiting, default=60.0))

    def _restart_dead(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._note_death(child, child.process, now=now)
            elif child.process is None and now >= child.due_at:
                self._start(child)

    def _note_death(self, child: Child, process: subprocess.Popen[bytes], *, now: float) -> None:
        # Its gauges must not count on; its counters stay in the sums.
        for path in Path(self.metrics_folder).glob(f"gauge_live*_{process.pid}.db"):
            path.unlink()
        child.failures = 1 if now - child.started_at > HEALTHY_SECONDS else child.failures + 1
        delay = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (child.failures - 1))
        child.process, child.due_at = None, now + delay
        print(
            f"Server process {process.pid} ended with status {process.returncode}; restarting in {delay} s.",
            file=sys.stderr,
            flush=True,
        )

    def _stop_all(self) -> None:
        """Ask every process to drain; end those that do not within the time."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
