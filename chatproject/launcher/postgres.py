"""One PostgreSQL cluster: made whole or not at all, started, watched, stopped."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from chatproject.launcher.account import Account, reachable_programs
from chatproject.launcher.binaries import PostgresPrograms
from chatproject.launcher.errors import LauncherError
from chatproject.launcher.processes import end_leftovers, open_log, spawn, stop, wait_until

SUPERUSER = "chat"
DATABASE = "chat"
START_SECONDS = 60.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # A checkpoint of a quiet development server is noise in its log.
    "log_checkpoints": "off",
}
# Nothing of this cluster is read after a crash, so nothing need reach the disk.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
GENTLE = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
AT_ONCE = ((signal.SIGQUIT, 5.0),)


class Postgres:
    """A cluster in ``data`` that answers on a Unix socket in ``sockets`` and nowhere else.

    A ``fast`` one writes nothing through, and is worthless after a crash.
    """

    name = "PostgreSQL"

    def __init__(
        self,
        *,
        programs: PostgresPrograms,
        data: Path,
        sockets: Path,
        log: Path,
        account: Account | None = None,
        fast: bool = False,
    ) -> None:
        self.programs = reachable_programs(programs, account=account)
        self.data = data
        self.sockets = sockets
        self.log = log
        self.account = account
        self.fast = fast
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What DATABASE_URL becomes."""
        return f"postgresql:///{DATABASE}?host={quote(os.fspath(self.sockets), safe='')}&user={SUPERUSER}"

    def start(self) -> None:
        """Make the cluster if there is none, end what a crashed run left, and start the server."""
        if not self.data.exists():
            self._make_cluster()
        self._check_version()
        self._clear_crashed_run()
        settings = {**SETTINGS, "unix_socket_directories": os.fspath(self.sockets)}
        if self.fast:
            settings |= FAST_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as log:
            self.process = spawn(
                [self.programs.postgres, "-D", self.data, *options],
                death_signal=signal.SIGINT,
                account=self.account,
                output=log,
                environment=self._environment(),
                folder=Path("/"),
            )

    def wait_ready(self) -> None:
        """Return once it takes connections. Raises LauncherError with the log's last lines otherwise."""
        status = self.data / "postmaster.pid"

        def ready() -> bool:
            try:
                lines = status.read_text(encoding="utf-8").splitlines()
            except OSError:
                lines = []
            started = len(lines) > 7 and lines[0] == str(self.process and self.process.pid)
            return self.died() or (started and lines[7].strip() == "ready")

        if not wait_until(ready, seconds=START_SECONDS) or self.died():
            tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
            raise LauncherError(f"PostgreSQL did not start; the end of {self.log}:\n{tail}")

    def died(self) -> bool:
        """Whether it was started and has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """Stop it; clients are cut off, committed data is safe."""
        if self.process is not None:
            stop(self.process, steps=AT_ONCE if self.fast else GENTLE)
            self.process = None

    def _make_cluster(self) -> None:
        """initdb under another name, then rename: a folder of the right name is always whole."""
        for half_made in self.data.parent.glob(f"{self.data.name}.new*"):
            shutil.rmtree(half_made)
        new = self.data.with_name(f"{self.data.name}.new")
        new.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(new, self.account.uid, self.account.gid)
        initdb: list[str | Path] = [self.programs.initdb, "-D", new, "-U", SUPERUSER, "--auth=trust"]
        initdb += ["--encoding=UTF8", "--locale=C", "--no-instructions"]
        if self.programs.major >= 17:
            initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.fast:
            initdb.append("--no-sync")
        self._run(initdb)
        self._run(
            [self.programs.postgres, "--single", "-D", new, "postgres"], text=f"CREATE DATABASE {DATABASE}\n"
        )
        new.rename(self.data)

    def _run(self, command: list[str | Path], *, text: str = "") -> None:
        done = subprocess.run(
            [os.fspath(part) for part in command],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(),
            umask=0o077,
            **(self.account.popen_arguments() if self.account else {}),
        )
        if done.returncode != 0:
            raise LauncherError(f"{Path(command[0]).name} failed: {done.stdout.strip()}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _check_version(self) -> None:
        try:
            made_by = int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise LauncherError(f"{self.data} is not a PostgreSQL data folder: move it away.") from error
        if made_by != self.programs.major:
            raise LauncherError(
                f"{self.data} was made by PostgreSQL {made_by}, but {self.programs.postgres} is version "
                f"{self.programs.major}: use that version, or dump and restore into a new data folder."
            )

    def _clear_crashed_run(self) -> None:
        """End servers that a killed launcher left, and take away a pid file that points at no server."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="utf-8").splitlines()[0])
        except (OSError, ValueError, IndexError):
            pid = None
        ended = end_leftovers(self.data, first=pid)
        if ended:
            named = pid if pid in ended else ended[0]
            print(f"Stopped PostgreSQL (process {named}), left by a run that was killed.", file=sys.stderr)
        # The lock on the data folder is ours, so no live server can own it; its number may by now belong
        # to an unrelated process, for which PostgreSQL would refuse to start.
        pid_file.unlink(missing_ok=True)
