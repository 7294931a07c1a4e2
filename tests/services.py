"""One database and one key prefix for each xdist worker. Loaded with ``-p tests.services``.

It must be loaded before pytest-django, which reads Django's settings while pytest starts. bin/test gives
the run a PostgreSQL and a Valkey of its own; here each worker gets a clone of one migrated template.
"""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
TEMPLATE_LOCK = 4_117_001

if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
    raise pytest.UsageError(
        "The tests need their servers: run bin/test, with pytest's arguments if you like."
    )

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
RUN = os.environ.setdefault("TEST_RUN", str(os.getpid()))
# The database the launcher made; only databases are created and dropped from it.
MAINTENANCE = os.environ.setdefault("MAINTENANCE_DATABASE_URL", os.environ["DATABASE_URL"])
CLONE = f"test_{RUN}_{WORKER}"
os.environ["DATABASE_URL"] = make_conninfo(MAINTENANCE, dbname=CLONE)
os.environ["REDIS_PREFIX"] = CLONE
os.environ["SITE_URL"] = "http://127.0.0.1:8000"
os.environ["STATIC_ROOT"] = f"{os.environ.get('RUN_FOLDER', ROOT / '.services')}/static"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
# Runs the same tests on plain Daphne in place of our server: no ready frames, ASGI's ``send`` alone.
PLAIN_DAPHNE = os.environ.get("TEST_SERVER") == "daphne"
# Of the server that a worker's tests share.
METRICS_TOKEN = "let-me-look"
OURS, DAPHNE = ("chatproject.server",), ("daphne", "chatproject.asgi:application")


@contextlib.contextmanager
def migrated_clone() -> Iterator[str]:
    """A database with every migration applied, for this worker alone; dropped at the end."""
    template = f"template_{_migrations_digest()}"
    with psycopg.connect(MAINTENANCE, autocommit=True) as maintenance:
        maintenance.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if not maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            _make_template(maintenance, template)
        _drop(maintenance, CLONE)
        maintenance.execute(_named("CREATE DATABASE {} TEMPLATE {}", CLONE, template))
    try:
        yield CLONE
    finally:
        with psycopg.connect(MAINTENANCE, autocommit=True) as maintenance:
            _drop(maintenance, CLONE)


def _make_template(maintenance: "psycopg.Connection[tuple[object, ...]]", template: str) -> None:
    """Migrate under another name, then rename: a template of the right name is whole."""
    unfinished = f"{template}_new"
    _drop(maintenance, unfinished)
    maintenance.execute(_named("CREATE DATABASE {}", unfinished))
    for command in (["migrate"], ["collectstatic", "--clear", "--no-input"]):
        subprocess.run(
            [sys.executable, "manage.py", *command, "--verbosity", "0"],
            cwd=ROOT,
            check=True,
            env={**os.environ, "DATABASE_URL": make_conninfo(MAINTENANCE, dbname=unfinished)},
        )
    maintenance.execute(_named("ALTER DATABASE {} RENAME TO {}", unfinished, template))


def _drop(maintenance: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    maintenance.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*(sql.Identifier(name) for name in names))


def _migrations_digest() -> str:
    """Names the template, so that one kept by a lasting server fits the code."""
    digest = hashlib.sha256((ROOT / "requirements/base.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(slots=True)
class RunningServer:
    """A server process under test, on this worker's database and Redis prefix."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    announces: bool = True

    @property
    def socket_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/ws/v1/"

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def serving_pids(self) -> list[int]:
        """The processes that serve, without the parent that holds the socket."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def is_ready(self) -> bool:
        """Whether all of it serves: our server says so, others can only be asked."""
        if self.announces:
            return "Ready:" in self.output()
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path: str, *, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body of a GET."""
        connection = HTTPConnection(*self.address, timeout=10)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stop(self) -> int:
        """Drain and end; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=15)
        finally:
            self.kill()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def serve(
    log: Path, *, arguments: tuple[str, ...] = (), module: Sequence[str] = (), **environment: str
) -> RunningServer:
    """Start a server on a free port and return once it is ready; ``module`` is run instead of our own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        module = module or (DAPHNE if PLAIN_DAPHNE else OURS)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, "--fd", str(listening.fileno()), *arguments],
                cwd=ROOT,
                env={**os.environ, "SITE_URL": url, **environment},
                stdout=output,
                stderr=output,
                pass_fds=[listening.fileno()],
            )
    server = RunningServer(url=url, process=process, log=log, announces=tuple(module) == OURS)
    wait_for(lambda: process.poll() is not None or server.is_ready(), seconds=START_SECONDS)
    if process.poll() is not None or not server.is_ready():
        server.kill()
        raise RuntimeError(f"The server did not start:\n{server.output()}")
    return server


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether ``condition`` came true within ``seconds``: the bound of a wait, for what tells nobody."""
    from chatproject.launcher.processes import wait_until

    return wait_until(condition, seconds=seconds)
