"""What the server must reach, each as a ratio in one run or as a bound."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.measure import median
from benchmarks.plan import Sample


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one peer in one variant of a scenario; ``variant`` is a beginning."""

    scenario: str
    variant: str
    peer: str
    metric: str

    def of(self, samples: Iterable[Sample]) -> float | None:
        """The median over the repeats; of several variants the worst. None if it was not measured."""
        found: dict[str, list[float]] = {}
        for sample in samples:
            if (sample.scenario, sample.peer) == (self.scenario, self.peer) and self._fits(sample.variant):
                found.setdefault(sample.variant, []).append(sample.values[self.metric])
        return max(map(median, found.values()), default=None)

    def _fits(self, variant: str) -> bool:
        return variant.startswith(self.variant) or variant.endswith(self.variant)


@dataclass(frozen=True, slots=True)
class Bar:
    """``ours`` (over ``against``, where there is a peer) must be at most ``limit``, or at least."""

    text: str
    unit: str
    ours: Figure
    limit: float
    against: Figure | None = None
    at_least: bool = False

    def measured(self, samples: list[Sample]) -> float | None:
        """What is held against the limit."""
        ours = self.ours.of(samples)
        if self.against is None or ours is None:
            return ours
        peer = self.against.of(samples)
        return None if peer is None else ours / peer

    def verdict(self, samples: list[Sample]) -> str:
        value = self.measured(samples)
        if value is None:
            return "not measured"
        if value >= self.limit if self.at_least else value <= self.limit:
            return "reached"
        if self.limit == 0:
            return f"**missed by {value:.4g}**"
        if self.at_least:
            return f"**missed by {1 - value / self.limit:.1%}**"
        if value < 2 * self.limit:
            return f"**missed by {value / self.limit - 1:.1%}**"
        return f"**missed: {value / self.limit:.2g} times the bar**"


def _cpu(scenario: str, in_flight: int, peer: str) -> Figure:
    return Figure(scenario, f"{in_flight} in flight", peer, "microseconds_per_delivery")


def _sends(peer: str, variant: str = "one room") -> Figure:
    return Figure("durable", variant, peer, "sends_per_second")


_us: Callable[[int], Figure] = lambda in_flight: _cpu("fanout", in_flight, "ours")  # noqa: E731

BARS = [
    Bar(
        "fan-out, CPU a delivery, 1 in flight, against Socket.IO",
        "µs",
        _us(1),
        0.8,
        _cpu("fanout", 1, "socketio"),
    ),
    Bar(
        "fan-out, CPU a delivery, 16 in flight, against Socket.IO",
        "µs",
        _us(16),
        0.35,
        _cpu("fanout", 16, "socketio"),
    ),
    Bar(
        "fan-out, CPU a delivery, 1 in flight, against textbook Channels",
        "µs",
        _us(1),
        1 / 40,
        _cpu("fanout", 1, "textbook"),
    ),
    Bar(
        "fan-out, CPU a delivery, 16 in flight, against textbook Channels",
        "µs",
        _us(16),
        1 / 40,
        _cpu("fanout", 16, "textbook"),
    ),
    Bar(
        "one process, ours durable, 16 in flight, against Socket.IO writing nothing",
        "µs",
        _cpu("one_process", 16, "ours"),
        0.6,
        _cpu("one_process", 16, "socketio"),
    ),
    Bar("durable sends in one room", "/s", _sends("ours"), 1500, at_least=True),
    Bar(
        "durable sends in one room, against batching off",
        "/s",
        _sends("ours"),
        5,
        _sends("unbatched"),
        at_least=True,
    ),
    Bar(
        "durable sends in one room, against Socket.IO + node-postgres",
        "/s",
        _sends("ours"),
        1,
        _sends("socketio-pg"),
        at_least=True,
    ),
    Bar(
        "durable sends in 20 rooms, against Socket.IO + node-postgres",
        "/s",
        _sends("ours", "20 rooms"),
        1,
        _sends("socketio-pg", "20 rooms"),
        at_least=True,
    ),
    Bar("20 messages/s to 1,000, p99 to the last", "ms", Figure("latency", "", "ours", "p99_ms"), 50),
    Bar("reconnect, statements to resume", "", Figure("reconnect", "", "ours", "resume_statements"), 0),
    Bar(
        "reconnect, statements of a hello",
        "",
        Figure("reconnect", "", "ours", "hello_statements_per_socket"),
        2,
    ),
    Bar("reconnect, all caught up", "s", Figure("reconnect", "", "ours", "seconds_until_all_caught_up"), 5),
    Bar("memory of an idle socket", "KB", Figure("idle", "", "ours", "kilobytes_per_socket"), 36),
    Bar(
        "a page of 50, p99 of the worst place, in process",
        "ms",
        Figure("history", "in process", "ours", "p99_ms"),
        20,
    ),
    Bar(
        "a page of 50, p99 of the worst place, over HTTP",
        "ms",
        Figure("history", "over HTTP", "ours", "p99_ms"),
        20,
    ),
    Bar("longest ping while one room is locked for 3 s", "ms", Figure("stall", "", "ours", "max_ms"), 50),
]
