"""Where and with what a run was made: nothing that names the machine itself."""

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psycopg
import redis

from benchmarks.servers import NODE, ROOT

PACKAGES = [
    "django",
    "channels",
    "channels-redis",
    "daphne",
    "twisted",
    "autobahn",
    "uvloop",
    "msgspec",
    "psycopg",
    "python-socketio",
    "flask-socketio",
    "gevent",
    "gevent-websocket",
    "uvicorn",
    "websockets",
    "picows",
]
NODE_PACKAGES = ["socket.io", "@socket.io/redis-adapter", "redis", "ws", "bufferutil", "pg"]
POSTGRES_SETTINGS = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"]


def describe() -> dict[str, str]:
    """Facts by name, in the order in which they are shown."""
    return {
        "commit": _output(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "node": _output(["node", "--version"]).removeprefix("v"),
        **_node_packages(),
        **_postgres(),
        "valkey": _valkey(),
    }


def stolen_and_total() -> tuple[float, float]:
    """CPU time that the hypervisor took away, and all of it, in ticks since the start of the machine."""
    ticks = list(map(float, Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]))
    return ticks[7], sum(ticks[:8])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _node_packages() -> dict[str, str]:
    locked = json.loads((ROOT / NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {f"{name} (npm)": locked[f"node_modules/{name}"]["version"] for name in NODE_PACKAGES}


def _postgres() -> dict[str, str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name", [POSTGRES_SETTINGS]
        )
        return {f"postgresql {name}": setting for name, setting in rows}


def _valkey() -> str:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        facts = client.info("server")
        return str(facts.get("valkey_version", facts["redis_version"]))
