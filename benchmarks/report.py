"""Writes performance.json (all samples), performance.md (tables) and performance.svg (bars)."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bars import BARS
from benchmarks.measure import median
from benchmarks.plan import FULL, Plan, Sample
from benchmarks.plot import plot

METHOD = Path(__file__).with_name("method.md")
NOTES = Path(__file__).with_name("notes.md")
# This server in other dress is no peer.
OURS = {"ours", "unbatched", "uvicorn"}
TITLES = {
    "fanout": "Fan-out, sender and readers in different processes",
    "one_process": "The same work in one process",
    "durable": "Durable acknowledged sends, 256 in flight",
    "latency": "20 messages a second",
    "idle": "Idle sockets and handshakes",
    "reconnect": "Cut and reconnect",
    "history": "History",
    "stall": "A locked room",
}
# metric: column, digits, whether a lower value is better (None: neither)
METRICS: dict[str, tuple[str, int, bool | None]] = {
    "microseconds_per_delivery": ("CPU a delivery, µs", 2, True),
    "deliveries_per_second": ("deliveries/s", 0, False),
    "sends_per_second": ("sends/s", 0, False),
    "server_microseconds_per_send": ("CPU of the server a send, µs", 0, True),
    "kilobytes_per_socket": ("KB a socket", 1, True),
    "baseline_kilobytes": ("KB without sockets", 0, True),
    "handshakes_per_second": ("handshakes/s", 0, False),
    "microseconds_per_handshake": ("CPU a handshake, µs", 0, True),
    "seconds_until_all_caught_up": ("s until all caught up", 2, True),
    "hello_statements_per_socket": ("statements of a hello", 2, True),
    "resume_statements": ("statements of all resumes", 0, True),
    "server_microseconds_per_socket": ("CPU a socket, µs", 0, True),
    "p50_ms": ("p50, ms", 2, True),
    "p99_ms": ("p99, ms", 2, True),
    "max_ms": ("longest, ms", 2, True),
    "max_before_ms": ("longest before, ms", 2, None),
    "out_of_order": ("out of order", 0, True),
    "server_busy_share": ("server busy", 2, None),
    "client_busy_share": ("client busy", 2, None),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run of bin/bench found, and where. ``labels`` are the names of the peers."""

    machine: dict[str, str]
    plan: Plan
    samples: list[Sample]
    failures: list[str]
    labels: dict[str, str]


def write(folder: Path, run: Run) -> None:
    """The three files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.json").write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
    (folder / "performance.md").write_text(_page(run), encoding="utf-8")
    plot(folder / "performance.svg", run.samples, run.labels)


def _page(run: Run) -> str:
    samples, labels = run.samples, run.labels
    parts = [
        "# Performance",
        f"Written by `bin/bench`, repeats: {run.plan.repeats}; the samples are in [performance.json]"
        "(performance.json). How to run and read it: [benchmarks/README.md](../benchmarks/README.md).",
        "![CPU of a delivery, durable sends, memory and handshakes](performance.svg)",
    ]
    if run.plan.readers != FULL.readers:
        parts.append(
            "**This was a quick run with small counts: it shows that all works, and judges nothing.**"
        )
    if run.failures:
        parts += ["## Failed", "\n".join(f"- {failure}" for failure in run.failures)]
    parts += ["## The bars", _bars(samples), "## Where a peer is better", _better(samples, labels)]
    for scenario, title in TITLES.items():
        if table := _table(scenario, samples, labels):
            parts += [f"## {title}", table]
        if table and scenario == "history":
            parts.append(_plans(samples))
    parts.append(METHOD.read_text(encoding="utf-8").strip())
    parts += ["## With what", _facts(run.machine, samples)]
    if NOTES.exists():
        parts.append(NOTES.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts) + "\n"


def _bars(samples: list[Sample]) -> str:
    lines = ["| what | ours | peer | measured | bar | |", "|---|---|---|---|---|---|"]
    for bar in BARS:
        ours = bar.ours.of(samples)
        peer = bar.against.of(samples) if bar.against else None
        value = bar.measured(samples)
        sign, times = ("≥" if bar.at_least else "≤"), ("×" if bar.against else "")
        lines.append(
            f"| {bar.text} | {_with_unit(ours, bar.unit)} | {_with_unit(peer, bar.unit)} "
            f"| {_with_unit(value, times or bar.unit)} | {sign} {_with_unit(bar.limit, times or bar.unit)} "
            f"| {bar.verdict(samples)} |"
        )
    return "\n".join(lines)


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.4g} {unit}".strip()


def _better(samples: list[Sample], labels: dict[str, str]) -> str:
    """Every median in which a peer beats this server, whether or not there is a bar for it."""
    lines = []
    for scenario, variant in _variants(samples):
        ours = _medians(samples, scenario, variant, "ours")
        for peer in _peers(samples, scenario, variant):
            theirs = _medians(samples, scenario, variant, peer)
            better = [
                f"{column} {theirs[metric]:,.{digits}f} (ours {ours[metric]:,.{digits}f})"
                for metric, (column, digits, lower) in METRICS.items()
                if metric in ours and metric in theirs and _is_better(theirs[metric], ours[metric], lower)
            ]
            if better and peer not in OURS:
                lines.append(f"| {TITLES[scenario]}, {variant} | {labels[peer]} | {'; '.join(better)} |")
    if not lines:
        return "Nowhere in this run."
    return "\n".join(["| scenario | peer | better in |", "|---|---|---|", *lines])


def _is_better(theirs: float, ours: float, lower: bool | None) -> bool:
    return lower is not None and (theirs < ours if lower else theirs > ours)


def _table(scenario: str, samples: list[Sample], labels: dict[str, str]) -> str:
    rows = [
        (variant, peer)
        for name, variant in _variants(samples)
        if name == scenario
        for peer in _peers(samples, scenario, variant)
    ]
    if not rows:
        return ""
    measured = {metric for sample in samples if sample.scenario == scenario for metric in sample.values}
    metrics = [metric for metric in METRICS if metric in measured]
    lines = [
        "| | | " + " | ".join(METRICS[metric][0] for metric in metrics) + " |",
        "|---" * (len(metrics) + 2) + "|",
    ]
    for variant, peer in rows:
        cells = [_cell(samples, scenario, variant, peer, metric) for metric in metrics]
        lines.append(f"| {variant} | {labels[peer]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(samples: list[Sample], scenario: str, variant: str, peer: str, metric: str) -> str:
    values = [sample.values[metric] for sample in _of(samples, scenario, variant, peer)]
    digits = METRICS[metric][1]
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def _plans(samples: list[Sample]) -> str:
    plans: dict[str, list[str]] = {}
    for sample in samples:
        if sample.scenario == "history":
            places = plans.setdefault(sample.notes["plan"], [])
            place = sample.variant.rpartition(", ")[0]
            if place not in places:
                places.append(place)
    same = "The plan is the same at every place:" if len(plans) == 1 else "**The plan is not the same:**"
    return "\n\n".join([same, *(f"{'; '.join(places)}\n```\n{plan}\n```" for plan, places in plans.items())])


def _facts(machine: dict[str, str], samples: list[Sample]) -> str:
    busiest = max(samples, key=lambda sample: sample.values.get("client_busy_share", 0.0))
    share = busiest.values.get("client_busy_share", 0.0)
    lines = [f"| {name} | {value} |" for name, value in machine.items()]
    where = f"{TITLES[busiest.scenario]}, {busiest.variant}, {busiest.peer}"
    return "\n".join(
        [
            f"The load client was busiest, with {share:.0%} of its core, in: {where}.",
            "",
            "| | |",
            "|---|---|",
            *lines,
        ]
    )


def _variants(samples: list[Sample]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((sample.scenario, sample.variant) for sample in samples))


def _peers(samples: list[Sample], scenario: str, variant: str) -> list[str]:
    """This server first, then the others by name."""
    found = dict.fromkeys(s.peer for s in samples if (s.scenario, s.variant) == (scenario, variant))
    return sorted(found, key=lambda peer: (peer != "ours", peer))


def _of(samples: list[Sample], scenario: str, variant: str, peer: str) -> list[Sample]:
    return [s for s in samples if (s.scenario, s.variant, s.peer) == (scenario, variant, peer)]


def _medians(samples: list[Sample], scenario: str, variant: str, peer: str) -> dict[str, float]:
    found = _of(samples, scenario, variant, peer)
    return {
        metric: median([sample.values[metric] for sample in found])
        for metric in (found[0].values if found else ())
    }
