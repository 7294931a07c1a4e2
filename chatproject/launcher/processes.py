"""Starting server processes that cannot outlive the launcher, and ending what an earlier run left."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from chatproject.launcher.account import Account

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.01
MAX_LOG_BYTES = 10_000_000
# Loaded here: nothing may be imported or allocated needlessly between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    output: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    own_session: bool = True,
    pass_fds: Sequence[int] = (),
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command``; the kernel sends it ``death_signal`` when this process dies in any way.

    With ``own_session`` a Ctrl-C in the terminal does not reach it: who started it decides when it ends.
    """
    return subprocess.Popen(
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL if own_session else None,
        stdout=output,
        stderr=output,
        env=dict(environment) if environment is not None else None,
        cwd=folder,
        start_new_session=own_session,
        pass_fds=pass_fds,
        preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509  callers have one thread
        **(account.popen_arguments() if account else {}),
    )


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def between_fork_and_exec() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        # After the change of user, which would clear it.
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os._exit(1)

    return between_fork_and_exec


def open_log(path: Path) -> IO[bytes]:
    """A log only its owner reads, continued until it is too long and then begun anew."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.unlink()
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def stop(process: subprocess.Popen[bytes], *, steps: Iterable[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, giving the process that many seconds, until it has ended."""
    for step, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(step)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()


def end_leftovers(folder: Path, *, first: int | None = None) -> list[int]:
    """End every process that works in ``folder``: servers whose launcher died. Returns their ids.

    A process id alone proves nothing (it may have been given to another process since); the working
    folder does. ``first`` is asked alone at the start: PostgreSQL's postmaster ends its own children.
    """
    ended = list(_working_in(folder))
    if first is not None and first in ended:
        _signal(first, signal.SIGINT)
        wait_until(lambda: first not in _working_in(folder), seconds=20)
    for step, seconds in ((signal.SIGTERM, 2.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0)):
        if wait_until(lambda: not list(_working_in(folder)), seconds=0.05):
            break
        for pid in _working_in(folder):
            _signal(pid, step)
        wait_until(lambda: not list(_working_in(folder)), seconds=seconds)
    return ended


def _working_in(folder: Path) -> Iterator[int]:
    wanted = os.path.realpath(folder)
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        pid = int(entry.parent.name)
        try:
            if str(entry.readlink()) == wanted and pid != os.getpid() and not _is_zombie(pid):
                yield pid
        except OSError:
            continue


def _is_zombie(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    return state[0] == "Z"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether ``condition`` came true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
