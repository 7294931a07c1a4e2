"""Counts SQL statements where PostgreSQL itself writes them down: in its log."""

import contextlib
import math
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks import measure

_STATEMENT = re.compile(rb"LOG:  (?:statement|execute [^:]*): (.*)")
SETTLE_SECONDS = 0.3


@dataclass(slots=True)
class Statements:
    """What was executed in a while: how often each statement, known by its first characters."""

    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def beyond(self, background: "Statements") -> "Counter[str]":
        """These without what a quiet server would have executed in the same time."""
        extra = Counter(self.counts)
        for text, count in background.counts.items():
            extra[text] -= math.ceil(count / background.seconds * self.seconds) + 1
        return +extra


@contextlib.contextmanager
def logged() -> Iterator["StatementLog"]:
    """PostgreSQL logs every statement meanwhile."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        postmaster = measure.parent(connection.info.backend_pid)
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(SETTLE_SECONDS)
        try:
            yield StatementLog(Path(f"/proc/{postmaster}/fd/2").resolve())
        finally:
            connection.execute("ALTER SYSTEM RESET log_statement")
            connection.execute("SELECT pg_reload_conf()")


@dataclass(slots=True)
class StatementLog:
    """PostgreSQL's log, from here on."""

    path: Path
    position: int = 0
    began: float = 0.0

    def begin(self) -> None:
        self.position, self.began = self.path.stat().st_size, time.perf_counter()

    def end(self) -> Statements:
        """What was executed since ``begin``. The check of a connection, an empty statement, is left out."""
        found = Statements(time.perf_counter() - self.began)
        time.sleep(SETTLE_SECONDS)
        with self.path.open("rb") as log:
            log.seek(self.position)
            lines = log.read().splitlines()
        for number, line in enumerate(lines):
            if match := _STATEMENT.search(line):
                text = match[1].strip() or (lines[number + 1].strip() if _continues(lines, number) else b"")
                found.counts[_shape(text)] += bool(text)
        return found


def _continues(lines: list[bytes], number: int) -> bool:
    return number + 1 < len(lines) and lines[number + 1].startswith(b"\t")


def _shape(text: bytes) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\b\d+\b", "?", text.decode(errors="replace"))[:100]
