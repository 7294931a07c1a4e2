"""``bin/bench``: runs every scenario against every server, interleaved, and writes the report."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup()

from benchmarks import people, report, servers  # noqa: E402 - models load after Django
from benchmarks.database import history, stall, statements_logged  # noqa: E402
from benchmarks.servers import OTHER_CORE, ROOT, Kind, serving  # noqa: E402

JOB_SECONDS = 400


@dataclass(frozen=True)
class Case:
    """One row of a table: a server under one load. ``across``: the sender is on a second process."""

    scenario: str
    table: str
    kind: Kind
    options: dict[str, Any]
    across: Kind | None = None
    rooms: int = 1
    people: int = 40
    repeats: int = 0


@dataclass
class Runner:
    """Runs cases and keeps their figures."""

    repeats: int
    samples: dict[str, dict[str, list[dict[str, float]]]] = field(default_factory=dict)

    def run(self, cases: list[Case]) -> None:
        for repeat in range(self.repeats):
            # Rotated, so that nobody always has the machine when it is quiet.
            shift = repeat % len(cases)
            for case in cases[shift:] + cases[:shift]:
                if repeat < (case.repeats or self.repeats):
                    self.keep(case.table, case.kind.name, measured(case))

    def keep(self, table: str, name: str, figures: dict[str, float]) -> None:
        self.samples.setdefault(table, {}).setdefault(name, []).append(figures)
        shown = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
        print(f"{table} | {name}: {shown}", flush=True)


def measured(case: Case) -> dict[str, float]:
    """One run of one case, on servers of its own."""
    sessions: list[str] = []
    rooms = list(range(1, case.rooms + 1))
    if case.kind.dialect == "ours":
        users = people.people(case.people)
        sessions, rooms = people.sessions(users), people.rooms(users[0], case.rooms)
    with ExitStack() as stack:
        if case.scenario == "reconnect":
            stack.enter_context(statements_logged())
        server = stack.enter_context(serving(case.kind))
        sender = stack.enter_context(serving(case.across, core=OTHER_CORE)) if case.across else server
        job = {
            "scenario": case.scenario,
            "dialect": case.kind.dialect,
            "port": server.port,
            "pid": server.pid,
            "sender_port": sender.port,
            "sessions": sessions,
            "rooms": rooms,
            # Peers with one room put everyone into it.
            "joins": case.kind.dialect == "ours" or case.kind is servers.SOCKETIO_POSTGRES,
            "options": case.options,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load"],
            input=json.dumps(job).encode(),
            stdout=subprocess.PIPE,
            cwd=ROOT,
            check=True,
            timeout=JOB_SECONDS,
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def fanout_cases(quick: bool) -> list[Case]:
    cases = []
    across = [
        (servers.OURS, 1.0),
        (servers.SOCKETIO_REDIS, 1.0),
        (servers.TEXTBOOK, 0.1),
        (servers.PYTHON_SOCKETIO_REDIS, 0.3),
    ]
    alone = [
        (servers.OURS, 1.0),
        (servers.SOCKETIO, 1.0),
        (servers.WS, 1.0),
        (servers.UVICORN, 0.5),
        (servers.PYTHON_SOCKETIO, 0.3),
        (servers.FLASK, 0.1),
    ]
    for in_flight, messages in ((1, 300), (16, 1200)):
        for table, kinds in (("fan-out, two processes", across), ("fan-out, one process", alone)):
            for kind, share in kinds:
                count = max(30, int(messages * share) // (5 if quick else 1))
                cases.append(
                    Case(
                        "fanout",
                        f"{table}, {in_flight} in flight",
                        kind,
                        {"readers": 500, "in_flight": in_flight, "warmup": count // 5, "messages": count},
                        across=kind if kind in [k for k, _ in across] and "two" in table else None,
                    )
                )
    return cases


def durable_cases(quick: bool) -> list[Case]:
    cases = []
    for kind, messages in (
        (servers.OURS, 6000),
        (servers.UNBATCHED, 1000),
        (servers.SOCKETIO_POSTGRES, 3000),
    ):
        for table, rooms in (("durable sends, one room", 1), ("durable sends, 20 rooms", 20)):
            count = messages // (5 if quick else 1)
            options = {
                "senders": 40 if rooms == 20 else 32,
                "each": 8,
                "warmup": count // 5,
                "messages": count,
            }
            cases.append(Case("durable", table, kind, options, rooms=rooms))
    return cases


def latency_cases(quick: bool) -> list[Case]:
    options = {"readers": 1000, "rate": 20, "messages": 60 if quick else 200}
    return [
        Case("latency", "20/s to 1,000 readers", kind, options) for kind in (servers.OURS, servers.SOCKETIO)
    ]


def idle_cases(quick: bool) -> list[Case]:
    options = {"sockets": 1000 if quick else 4000}
    kinds = (servers.OURS, servers.SOCKETIO, servers.WS, servers.TEXTBOOK)
    return [Case("idle", "idle sockets", kind, options, people=140, repeats=3) for kind in kinds]


def reconnect_cases(quick: bool) -> list[Case]:
    options = {"readers": 200 if quick else 1000, "missed": 20, "postgres_log": os.environ["POSTGRES_LOG"]}
    return [Case("reconnect", "reconnect of all at once", servers.OURS, options)]


CASES: dict[str, Callable[[bool], list[Case]]] = {
    "fanout": fanout_cases,
    "durable": durable_cases,
    "latency": latency_cases,
    "idle": idle_cases,
    "reconnect": reconnect_cases,
}
DATABASE: dict[str, Callable[[Runner, bool], None]] = {"stall": stall, "history": history}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench")
    parser.add_argument("--quick", action="store_true", help="small counts, one repeat: does it work?")
    parser.add_argument(
        "--only", default="", help=f"of {', '.join([*CASES, *DATABASE])}; no report is written"
    )
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else [*CASES, *DATABASE]
    runner = Runner(options.repeats or (1 if options.quick else 5))
    for name in chosen:
        if name in CASES:
            runner.run(CASES[name](options.quick))
        else:
            DATABASE[name](runner, options.quick)
    if not options.only:
        report.write(runner.samples, runner.repeats, options.out)


if __name__ == "__main__":
    main()
