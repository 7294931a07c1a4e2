"""What is read from the kernel: CPU time, memory and place of other processes. Linux only."""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time that all threads of ``pid`` have used, to the nanosecond.

    The clock of another process has the id that clock_getcpuclockid(3) computes.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory_kilobytes(pid: int) -> int:
    """Resident memory of ``pid``."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has no Rss")


def children(pid: int) -> list[int]:
    """The direct children of ``pid``."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text(encoding="ascii").split()]


def parent(pid: int) -> int:
    """The parent of ``pid``."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[1])


@cache
def cores() -> tuple[set[int], set[int]]:
    """Where the measured process runs, and where all others do: apart, if there are two cores.

    Looked up once, before this process itself is pinned.
    """
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, {usable[-1]}


def pin_tree(pid: int, cpus: set[int]) -> None:
    """Keeps ``pid``, its threads and all its descendants on ``cpus``."""
    for one in _tree(pid):
        for thread in Path(f"/proc/{one}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cpus)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that ``share`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from _tree(child)
