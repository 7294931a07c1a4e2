"""How much is measured, and the form of what a measurement gives."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts and durations. The quick one only shows that everything works."""

    repeats: int
    readers: int
    flood_seconds: float
    warm_up_seconds: float
    latency_readers: int
    latency_seconds: float
    durable_seconds: float
    idle_sockets: int
    idle_repeats: int
    reconnecting: int
    history_messages: int
    history_reads: int
    stall_seconds: float


FULL = Plan(
    repeats=5,
    readers=500,
    flood_seconds=2.0,
    warm_up_seconds=0.5,
    latency_readers=1000,
    latency_seconds=4.0,
    durable_seconds=2.5,
    idle_sockets=4000,
    idle_repeats=3,
    reconnecting=1000,
    history_messages=5_000_000,
    history_reads=300,
    stall_seconds=3.0,
)
QUICK = Plan(
    repeats=1,
    readers=100,
    flood_seconds=0.8,
    warm_up_seconds=0.2,
    latency_readers=200,
    latency_seconds=2.0,
    durable_seconds=1.0,
    idle_sockets=500,
    idle_repeats=1,
    reconnecting=200,
    history_messages=100_000,
    history_reads=60,
    stall_seconds=3.0,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one repeat of one variant of a scenario gave for one peer. The unit is in each name."""

    scenario: str
    variant: str
    peer: str
    repeat: int
    values: dict[str, float]
    notes: dict[str, str] = field(default_factory=dict)
