"""The measured servers: how each is started, pinned, found ready and stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "benchmarks/peers/node"
START_SECONDS = 60.0
MEASURED_CORE, OTHER_CORE = 0, 1


@dataclass(frozen=True)
class Kind:
    """A kind of server: the dialect it speaks, its command, what it needs to know."""

    name: str
    dialect: str
    command: Callable[[int], list[str]]
    environment: Callable[[int], dict[str, str]]
    has_child: bool = False


@dataclass
class Running:
    """A server process. ``pid`` is the one that serves."""

    kind: Kind
    port: int
    pid: int
    process: "subprocess.Popen[bytes]"


def _redis_path() -> str:
    return urlsplit(os.environ["REDIS_URL"]).path


def _ours(port: int) -> dict[str, str]:
    return {"SITE_URL": f"http://127.0.0.1:{port}", "PYTHONPATH": str(ROOT / "benchmarks/instrument")}


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _node(script: str) -> list[str]:
    return ["node", "--expose-gc", str(NODE / script)]


def _instrumented(_port: int) -> dict[str, str]:
    return {"PYTHONPATH": f"{ROOT / 'benchmarks/instrument'}:{ROOT}"}


def _node_environment(port: int) -> dict[str, str]:
    return {"PORT": str(port), "NODE_ENV": "production"}


def _node_redis(port: int) -> dict[str, str]:
    return _node_environment(port) | {"REDIS_SOCKET": _redis_path()}


def _node_postgres(port: int) -> dict[str, str]:
    parts = conninfo_to_dict(os.environ["DATABASE_URL"])
    return _node_environment(port) | {
        "PGHOST": str(parts["host"]),
        "PGUSER": str(parts["user"]),
        "PGDATABASE": str(parts["dbname"]),
    }


OURS = Kind(
    "ours",
    "ours",
    lambda port: _python("-m", "chatproject.server", "--port", str(port), "--no-limits"),
    _ours,
    has_child=True,
)
UNBATCHED = Kind(
    "ours, a transaction a send",
    "ours",
    OURS.command,
    lambda port: _ours(port) | {"WRITER_MAX_BATCH": "1"},
    has_child=True,
)
UVICORN = Kind(
    "our hub on uvicorn",
    "ours",
    lambda port: _python(
        "-m",
        "uvicorn",
        "chatproject.asgi:application",
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--ws",
        "websockets",
        "--ws-per-message-deflate",
        "false",
        "--no-access-log",
        "--backlog",
        "1024",
        "--log-level",
        "warning",
    ),
    lambda port: _ours(port) | {"NO_LIMITS": "1"},
)
TEXTBOOK = Kind(
    "textbook Channels consumer",
    "raw",
    lambda port: _python(
        "-m",
        "daphne",
        "benchmarks.peers.channels_textbook:application",
        "-p",
        str(port),
        "--no-server-name",
        "-v",
        "0",
    ),
    _instrumented,
)
SOCKETIO = Kind("Socket.IO", "socketio", lambda _: _node("socketio.js"), _node_environment)
SOCKETIO_REDIS = Kind("Socket.IO", "socketio", lambda _: _node("socketio.js"), _node_redis)
SOCKETIO_POSTGRES = Kind(
    "Socket.IO + node-postgres", "socketio", lambda _: _node("socketio_pg.js"), _node_postgres
)
WS = Kind("ws on Node", "raw", lambda _: _node("ws.js"), _node_environment)
PYTHON_SOCKETIO = Kind(
    "python-socketio",
    "socketio",
    lambda port: _python(
        "-m",
        "uvicorn",
        "benchmarks.peers.python_socketio:application",
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--no-access-log",
        "--ws-per-message-deflate",
        "false",
        "--log-level",
        "warning",
    ),
    _instrumented,
)
PYTHON_SOCKETIO_REDIS = Kind(
    PYTHON_SOCKETIO.name,
    "socketio",
    PYTHON_SOCKETIO.command,
    lambda port: _instrumented(port) | {"PEER_REDIS": os.environ["REDIS_URL"]},
)
FLASK = Kind(
    "Flask-SocketIO (gevent)",
    "socketio",
    lambda _: _python("-m", "benchmarks.peers.flask_peer"),
    lambda port: _instrumented(port) | {"PORT": str(port)},
)


@contextmanager
def serving(kind: Kind, *, core: int = MEASURED_CORE) -> Iterator[Running]:
    """Starts a server pinned to ``core`` and ends it afterwards."""
    port = _free_port()
    environment = {**os.environ, **kind.environment(port)}
    log = Path(os.environ["BENCH_FOLDER"]) / f"{kind.name.replace(' ', '-').replace('/', '-')}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *kind.command(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_it_listens(kind, process, port, log)
        pid = process.pid
        if kind.has_child:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            (pid,) = map(int, children.split())
        yield Running(kind, port, pid, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(kind: Kind, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:
                if not kind.has_child:
                    return
                # The parent listens before its child serves.
                probe.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                if probe.recv(16):
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{kind.name} did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
