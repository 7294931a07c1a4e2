"""Starts and ends the servers that are measured: this project's and its peers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from psycopg.conninfo import conninfo_to_dict

from benchmarks import measure
from benchmarks.load.dialects import Dialect, Ours, PlainJson, SocketIo

ROOT = Path(__file__).resolve().parent.parent
NODE = Path("benchmarks/peers/node")
START_SECONDS = 60.0
STOP_SECONDS = 12.0
COLLECT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A server program. ``command(port)`` runs one process of it.

    ``ready`` is printed once it serves. ``through_redis`` when several processes can share a room;
    ``supervised`` when the process that serves is the child of the one that is started; ``ordered`` when
    it keeps the order of one sender's messages.
    """

    name: str
    label: str
    dialect: Dialect
    command: Callable[[int], list[str]]
    ready: str
    through_redis: bool = False
    supervised: bool = False
    tickets: bool = False
    ordered: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


def _ours(port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "chatproject.server",
        "--port",
        str(port),
        "--processes",
        "1",
        "--no-limits",
    ]


def _python(module: str) -> Callable[[int], list[str]]:
    return lambda _: [sys.executable, "-m", module]


def _node(program: str) -> Callable[[int], list[str]]:
    return lambda _: ["node", "--expose-gc", str(NODE / program)]


def _uvicorn(port: int) -> list[str]:
    options = ["--loop", "uvloop", "--ws", "websockets", "--ws-per-message-deflate", "false"]
    options += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "chatproject.asgi:application", *options]


def _daphne(port: int) -> list[str]:
    application = "benchmarks.peers.textbook:application"
    return [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]


OURS = Peer(
    "ours", "this project", Ours(), _ours, "Ready:", through_redis=True, supervised=True, tickets=True
)
UNBATCHED = Peer(
    "unbatched",
    "this project, batching off",
    Ours(),
    _ours,
    "Ready:",
    supervised=True,
    tickets=True,
    environment={"WRITER_MAX_BATCH": "1"},
)
UVICORN = Peer(
    "uvicorn",
    "this project's hub on uvicorn",
    Ours(),
    _uvicorn,
    "running on",
    through_redis=True,
    tickets=True,
    environment={"NO_LIMITS": "1"},
)
TEXTBOOK = Peer("textbook", "textbook Channels consumer", PlainJson(), _daphne, "", through_redis=True)
FLASK = Peer("flask", "Flask-SocketIO (gevent)", SocketIo(), _python("benchmarks.peers.flask_gevent"), "")
PYTHON_SOCKETIO = Peer(
    "python-socketio",
    "python-socketio",
    SocketIo(),
    _python("benchmarks.peers.asyncio_socketio"),
    "running on",
    through_redis=True,
    ordered=False,
)
SOCKETIO = Peer("socketio", "Socket.IO", SocketIo(), _node("socketio.js"), "Ready", through_redis=True)
WS = Peer("ws", "ws", PlainJson(), _node("ws.js"), "Ready")
DURABLE = Peer("socketio-pg", "Socket.IO + node-postgres", SocketIo(), _node("durable.js"), "Ready")


@dataclass(slots=True)
class Server:
    """One running process of a peer."""

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The process that serves."""
        return measure.children(self.process.pid)[0] if self.peer.supervised else self.process.pid

    def collect_garbage(self) -> None:
        os.kill(self.pid, signal.SIGUSR2)
        time.sleep(COLLECT_SECONDS)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.unlink(missing_ok=True)


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[Server]:
    """One process of ``peer`` on the measured core, alone: without Redis, if it can do without."""
    measured, _ = measure.cores()
    with _stopping([]) as servers:
        servers.append(_start(peer, cpus=measured, shared=False))
        yield servers[0]


@contextlib.contextmanager
def running_pair(peer: Peer) -> Iterator[tuple[Server, Server]]:
    """Two processes of ``peer``: one on the other core for the sender, one on the measured core."""
    measured, other = measure.cores()
    with _stopping([]) as servers:
        for cpus in (other, measured):
            servers.append(_start(peer, cpus=cpus, shared=True))
        yield servers[0], servers[1]


@contextlib.contextmanager
def _stopping(servers: list[Server]) -> Iterator[list[Server]]:
    """Ends ``servers`` in any case; when something failed, shows what they had to say."""
    try:
        yield servers
    except BaseException:
        for server in servers:
            print(f"--- {server.peer.label}\n{server.output()[-4000:]}", file=sys.stderr)
        raise
    finally:
        for server in servers:
            server.stop()


def _start(peer: Peer, *, cpus: set[int], shared: bool) -> Server:
    port = _free_port()
    handle, name = tempfile.mkstemp(prefix="bench-", suffix=".log", dir=os.environ.get("RUN_FOLDER"))
    with os.fdopen(handle, "wb") as output:
        process = subprocess.Popen(
            peer.command(port),
            cwd=ROOT,
            env=_environment(peer, port=port, shared=shared),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),  # noqa: PLW1509  starts no thread
        )
    server = Server(peer, port, process, Path(name))
    deadline = time.monotonic() + START_SECONDS
    while not (peer.ready in server.output() and _answers(port)):
        if process.poll() is not None or time.monotonic() > deadline:
            output_so_far = server.output()
            server.stop()
            raise RuntimeError(f"{peer.label} did not start:\n{output_so_far}")
        time.sleep(0.05)
    return server


def _environment(peer: Peer, *, port: int, shared: bool) -> dict[str, str]:
    """What bin/dev gives, and what peers read. Only processes that share a room are told of Redis."""
    environment = {
        **os.environ,
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "NODE_ENV": "production",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks/instrument")]),
        "PYTHONUNBUFFERED": "1",
        **peer.environment,
    }
    if peer.name in {"socketio", "python-socketio"} and not shared:
        del environment["REDIS_URL"]
    elif shared:
        environment["REDIS_SOCKET"] = unquote(os.environ["REDIS_URL"].removeprefix("unix://"))
    database = conninfo_to_dict(os.environ.get("PEER_DATABASE_URL", os.environ["DATABASE_URL"]))
    for variable, part in (("PGHOST", "host"), ("PGUSER", "user"), ("PGDATABASE", "dbname")):
        environment[variable] = str(database[part])
    return environment


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
