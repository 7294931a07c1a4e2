"""The picture of a run: bars of medians, whiskers from the smallest to the largest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measure import median
from benchmarks.plan import Sample

OURS, OTHERS, INK = "#0f6b5c", "#b9bec6", "#20242a"
INCHES_A_BAR = 0.30


@dataclass(frozen=True, slots=True)
class Panel:
    """One group of bars."""

    title: str
    scenario: str
    variant: str
    metric: str
    digits: int = 0
    more_is_better: bool = False


CPU = "microseconds_per_delivery"
PANELS = [
    Panel("Fan-out, 1 in flight: µs a delivery", "fanout", "1 in flight", CPU, 1),
    Panel("Fan-out, 16 in flight: µs a delivery", "fanout", "16 in flight", CPU, 1),
    Panel("One process, 1 in flight: µs a delivery", "one_process", "1 in flight", CPU, 1),
    Panel("One process, 16 in flight: µs a delivery", "one_process", "16 in flight", CPU, 1),
    Panel("Durable sends/s, one room", "durable", "one room", "sends_per_second", more_is_better=True),
    Panel("Durable sends/s, 20 rooms", "durable", "20 rooms", "sends_per_second", more_is_better=True),
    Panel("KB of an idle socket", "idle", "", "kilobytes_per_socket", 1),
    Panel("Handshakes/s", "idle", "", "handshakes_per_second", more_is_better=True),
]


def plot(path: Path, samples: list[Sample], labels: dict[str, str]) -> None:
    """Writes an SVG with a white ground of its own, so that it reads on light and dark pages."""
    shown = [(panel, found) for panel in PANELS if (found := _values(panel, samples))]
    if not shown:
        path.unlink(missing_ok=True)
        return
    mpl.rcParams.update({"svg.hashsalt": "chat", "svg.fonttype": "none", "font.size": 9, "text.color": INK})
    rows = [shown[number : number + 2] for number in range(0, len(shown), 2)]
    heights = [max(len(found) for _, found in row) + 1.5 for row in rows]
    figure = Figure(figsize=(12, INCHES_A_BAR * sum(heights) + 0.4), facecolor="white", layout="constrained")
    axes = figure.subplots(len(rows), 2, squeeze=False, gridspec_kw={"height_ratios": heights})
    for number, one in enumerate(axes.flat):
        if number < len(shown):
            _bars(one, *shown[number], labels)
        else:
            one.set_axis_off()
    figure.savefig(path, format="svg", metadata={"Date": None})


def _values(panel: Panel, samples: list[Sample]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for sample in samples:
        if sample.scenario == panel.scenario and panel.variant in {"", sample.variant}:
            found.setdefault(sample.peer, []).append(sample.values[panel.metric])
    return found


def _bars(axes: Any, panel: Panel, found: dict[str, list[float]], labels: dict[str, str]) -> None:
    """The best on top. Where one would flatten the others the scale is logarithmic."""
    peers = sorted(found, key=lambda peer: median(found[peer]), reverse=not panel.more_is_better)
    middles = [median(found[peer]) for peer in peers]
    spread = [
        [middle - min(found[peer]) for peer, middle in zip(peers, middles, strict=True)],
        [max(found[peer]) - middle for peer, middle in zip(peers, middles, strict=True)],
    ]
    colours = [OURS if peer in {"ours", "uvicorn", "unbatched"} else OTHERS for peer in peers]
    names = [labels[peer] for peer in peers]
    axes.barh(
        names, middles, xerr=spread, color=colours, error_kw={"ecolor": INK, "elinewidth": 0.8}, height=0.7
    )
    if min(middles) > 0 and max(middles) / min(middles) > 20:
        axes.set_xscale("log")
    remarks = [panel.title]
    remarks += ["more is better"] if panel.more_is_better else []
    remarks += ["logarithmic"] if axes.get_xscale() == "log" else []
    axes.set_title(", ".join(remarks), loc="left", fontsize=10, fontweight="bold")
    for name, middle, most in zip(names, middles, (max(found[peer]) for peer in peers), strict=True):
        axes.annotate(
            f"{middle:,.{panel.digits}f}",
            (most, name),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.margins(x=0.14)
    axes.spines[["top", "right"]].set_visible(False)
