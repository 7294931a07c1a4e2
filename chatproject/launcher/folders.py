"""The data folder, which stays, and the run folder with the sockets, which goes."""

import fcntl
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chatproject.launcher.account import SHARED_FOLDER, Account
from chatproject.launcher.errors import LauncherError
from chatproject.launcher.processes import end_leftovers

RUN_PREFIX = "chat-run-"
MAX_SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = "pg/.s.PGSQL.5432.lock"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Everything that must survive: the cluster, the secret key, the logs. Locked while in use."""

    path: Path
    lock: int

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        """Make the folder if needed and lock it. Raises LauncherError when another launcher has it."""
        try:
            # Root's server account must be able to pass through; what is inside is private by itself.
            path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            lock = os.open(path / "launcher.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LauncherError(f"The data folder {path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise LauncherError(
                f"The data folder {path} is in use by process {pid}: stop that one, or give another --data."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path=path.resolve(), lock=lock)

    def secret_key(self) -> str:
        """Django's secret key: made once, kept 0600."""
        path = self.path / "secret-key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48))
        return path.read_text(encoding="ascii").strip()

    def cluster(self) -> Path:
        """Where this folder's PostgreSQL files lie: inside, or where an earlier start had to put them."""
        pointer = self.path / "postgres.path"
        return (
            Path(pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else self.path / "postgres"
        )

    def move_cluster_into_reach(self, account: Account | None) -> Path:
        """The place of the cluster, moved out of the data folder if ``account`` cannot enter that."""
        cluster = self.cluster()
        if account is None or cluster.exists() or account.may(["/bin/sh", "-c", 'cd -- "$0"', self.path]):
            return cluster
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix="data-", dir=SHARED_FOLDER))
        home.chmod(0o711)
        (home / "belongs-to").write_text(f"{self.path}\n", encoding="utf-8")
        write_private(self.path / "postgres.path", str(home / "postgres"))
        print(
            f"The user {account.name} cannot enter {self.path}; PostgreSQL's files are in {home}.", flush=True
        )
        return home / "postgres"

    def close(self) -> None:
        os.close(self.lock)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A short private folder for sockets and, in an ephemeral run, for the data too.

    Its lock tells a later start whether the run still lives; one that does not is swept away.
    """

    path: Path
    lock: int

    @classmethod
    def make(cls) -> "RunFolder":
        path = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=_short_parent()))
        if os.geteuid() == 0:
            path.chmod(0o711)
        # Locked before it has its name, so that no sweep can find it unlocked.
        unnamed = path / "lock.new"
        lock = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(path / "lock")
        return cls(path=path, lock=lock)

    def private(self, name: str, *, account: Account | None = None) -> Path:
        """A 0700 folder in it, owned by ``account``."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        return folder

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def sweep() -> None:
    """Remove the run folders of launchers that were killed, and end servers still working in them."""
    for path in _short_parent().glob(f"{RUN_PREFIX}*"):
        try:
            if path.lstat().st_uid != os.geteuid() or path.is_symlink():
                continue
            lock = os.open(path / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        for folder in (path / "data/postgres", path / "data/valkey", path / "valkey"):
            end_leftovers(folder)
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    unfinished.rename(path)


def _short_parent() -> Path:
    """A folder for temporary files whose path leaves room for a socket's name."""
    for parent in (Path("/tmp"), Path(tempfile.gettempdir())):  # noqa: S108  made by mkdtemp
        name = parent / f"{RUN_PREFIX}12345678" / LONGEST_SOCKET_NAME
        if os.access(parent, os.W_OK | os.X_OK) and len(os.fsencode(name)) <= MAX_SOCKET_PATH_BYTES:
            return parent
    raise LauncherError(
        "No writable folder with a short path for sockets: make /tmp writable, or set TMPDIR."
    )
