"""``bin/bench``: measures every scenario, peers in turn, and writes the report."""

import argparse
import gc
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks import machine, measure, report, world
from benchmarks.plan import FULL, QUICK, Plan, Sample
from benchmarks.scenarios import (
    durable,
    fanout,
    history,
    idle,
    latency,
    one_process,
    reconnect,
    stall,
)
from benchmarks.servers import ROOT, Peer

PEER_DATABASE = "bench_peer"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is measured, of whom, and how often."""

    name: str
    peers: list[Peer]
    measure_peer: Callable[[Peer, Plan, int], list[Sample]]


SCENARIOS = [
    Scenario(module.NAME, module.PEERS, module.measure_peer)
    for module in (fanout, one_process, durable, latency, idle, reconnect, history, stall)
]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--quick", action="store_true", help="small counts, one repeat: does it all work?")
    parser.add_argument("--only", metavar="NAME[,…]", default=",".join(names), help=", ".join(names))
    parser.add_argument("--peers", metavar="NAME[,…]", help="only these peers")
    parser.add_argument("--repeats", type=int, metavar="N")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default docs for a whole run, else benchmarks/results"
    )
    options = parser.parse_args(arguments)
    only = options.only.split(",")
    if unknown := set(only) - set(names):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    plan = QUICK if options.quick else FULL
    if options.repeats:
        plan = replace(plan, repeats=options.repeats)
    whole = not (options.quick or options.peers or len(only) < len(names))
    _prepare()
    stolen, total = machine.stolen_and_total()
    samples: list[Sample] = []
    failures: list[str] = []
    for scenario in SCENARIOS:
        if scenario.name in only:
            _measure(scenario, plan, peers=options.peers, samples=samples, failures=failures)
    stolen_after, total_after = machine.stolen_and_total()
    facts = machine.describe()
    facts["time taken by the hypervisor"] = f"{(stolen_after - stolen) / (total_after - total):.1%}"
    folder = options.out or ROOT / ("docs" if whole else "benchmarks/results")
    report.write(folder, report.Run(facts, plan, samples, failures, _labels()))
    print(f"Written: {folder}/performance.md, .json, .svg")
    return 1 if failures else 0


def _labels() -> dict[str, str]:
    return {peer.name: peer.label for scenario in SCENARIOS for peer in scenario.peers}


def _prepare() -> None:
    """The schema of both sides, and everything but the measured server on the other core."""
    _, other = measure.cores()
    measure.pin_tree(measure.parent(os.getpid()), other)
    world.prepare()
    url = os.environ["DATABASE_URL"]
    os.environ["PEER_DATABASE_URL"] = make_conninfo(url, dbname=PEER_DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(PEER_DATABASE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    with psycopg.connect(os.environ["PEER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute((ROOT / "benchmarks/peers/durable.sql").read_bytes())
    # The client's own pauses must not be taken for the server's.
    gc.collect()
    gc.freeze()


def _measure(
    scenario: Scenario, plan: Plan, *, peers: str | None, samples: list[Sample], failures: list[str]
) -> None:
    """Each repeat asks every peer once, beginning with another one each time.

    A measurement that fails gives no figure; the others go on, and the report and the exit status tell.
    """
    chosen = [peer for peer in scenario.peers if peers is None or peer.name in peers.split(",")]
    for repeat in range(plan.repeats):
        first = repeat % max(1, len(chosen))
        for peer in chosen[first:] + chosen[:first]:
            began = time.monotonic()
            try:
                found = scenario.measure_peer(peer, plan, repeat)
            except Exception as error:
                traceback.print_exc()
                reason = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
                failures.append(f"{scenario.name}, {peer.label}, repeat {repeat + 1}: {reason}")
                continue
            samples += found
            for sample in found:
                values = ", ".join(f"{name} {value:.4g}" for name, value in sample.values.items())
                print(f"{sample.scenario} / {sample.variant} / {peer.name}: {values}", flush=True)
            print(f"  ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
