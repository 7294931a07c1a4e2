"""Holds a ledger against the database. Every scenario is judged by the same invariants."""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg

from tests.faults.harness.ledger import Ledger, Screen, Send


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it is in the database."""

    id: int
    client_id: UUID
    seq: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """One room as the database has it: the log in order, and the messages."""

    events: list[tuple[int, str, int | None]]
    messages: list[Row]
    last_seq: int


@dataclass
class Verdict:
    """What was found wrong, by sort. ``lost``: promised or visible, and not there. ``dup``: there twice.
    ``disorder``: not in the one order, or shown to someone who may not see it."""

    lost: list[str] = field(default_factory=list)
    dup: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.dup or self.disorder)

    def __str__(self) -> str:
        found = [("lost", self.lost), ("dup", self.dup), ("disorder", self.disorder)]
        return "\n".join(f"{sort}: {text}" for sort, texts in found for text in texts[:10])


def read_record(room: int) -> Record:
    """The room's log and messages. One snapshot, so that they fit each other."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        events = connection.execute(
            "SELECT seq, kind, message_id FROM chat_roomevent WHERE room_id = %s ORDER BY seq, id", [room]
        ).fetchall()
        messages = connection.execute(
            "SELECT id, client_id, seq, CASE WHEN deleted_at IS NULL THEN body END FROM chat_message"
            " WHERE room_id = %s ORDER BY seq, id",
            [room],
        ).fetchall()
        (last_seq,) = connection.execute("SELECT last_seq FROM chat_room WHERE id = %s", [room]).fetchone()
    return Record(events, [Row(*row) for row in messages], last_seq)


def check(ledger: Ledger, record: Record) -> Verdict:
    """Every invariant of the promise, after quiet."""
    verdict = Verdict()
    for fault in ledger.faults:
        (verdict.dup if fault.startswith(("dup", "repeat")) else verdict.disorder).append(fault)
    _check_sends(ledger, record, verdict)
    _check_log(record, verdict)
    _check_authors(ledger, verdict)
    for screen in ledger.screens:
        _check_screen(screen, record, verdict)
    return verdict


def _check_sends(ledger: Ledger, record: Record, verdict: Verdict) -> None:
    """What was acknowledged is there once, at the seq that was told; what was refused for good is not; and
    every other send, tried until it had an answer, ended as one row."""
    rows = defaultdict(list)
    for row in record.messages:
        rows[row.client_id].append(row)
    for send in ledger.sends.values():
        found = rows[send.client_id]
        if len(found) > 1:
            verdict.dup.append(f"{send.body} is there {len(found)} times")
        elif send.refused is not None:
            if found:
                verdict.disorder.append(f"{send.body} was refused as {send.refused} and is there")
        elif not found:
            verdict.lost.append(f"{send.body} ({'acknowledged' if send.acked_at else 'never answered'})")
        elif send.acked_at is None:
            verdict.lost.append(f"{send.body} is there, and its sender was never told")
        elif (found[0].seq, found[0].body) != (send.seq, send.body):
            verdict.disorder.append(f"{send.body} was acknowledged as {send.seq} and is {found[0]}")


def _check_log(record: Record, verdict: Verdict) -> None:
    """1..max without a hole and without a second, and each message posted at its place."""
    counted = Counter(seq for seq, _, _ in record.events)
    verdict.dup += [f"the log has {seq} {count} times" for seq, count in counted.items() if count > 1]
    holes = set(range(1, record.last_seq + 1)) ^ set(counted)
    verdict.disorder += [f"the log has no {seq}, or one beyond its head" for seq in sorted(holes)]
    posted = {message: seq for seq, kind, message in record.events if kind == "message.posted"}
    verdict.disorder += [
        f"message {row.id} says {row.seq}, the log {posted.get(row.id)}"
        for row in record.messages
        if posted.get(row.id) != row.seq
    ]


def _check_authors(ledger: Ledger, verdict: Verdict) -> None:
    """One client's messages stand in the order in which it sent them."""
    by_author: defaultdict[str, list[Send]] = defaultdict(list)
    for send in ledger.acknowledged:
        by_author[send.author].append(send)
    for sends in by_author.values():
        verdict.disorder += [
            f"{later.body} was sent after {earlier.body} and stands before it"
            for earlier, later in pairwise(sends)
            if earlier.seq is not None and later.seq is not None and later.seq <= earlier.seq
        ]


def _check_screen(screen: Screen, record: Record, verdict: Verdict) -> None:
    """Shown is exactly what there was to see since the client began, in order, each once."""
    if screen.base is None:
        verdict.lost.append(f"{screen.name} never got into the room")
        return
    seqs = [display.seq for display in screen.shown]
    if seqs != sorted(set(seqs)):
        verdict.disorder.append(f"{screen.name} shows {seqs}")
    exists = {(seq, kind) for seq, kind, _ in record.events}
    verdict.disorder += [
        f"{screen.name} shows {display.seq} {display.kind}, which is not in the log"
        for display in screen.shown
        if (display.seq, display.kind) not in exists
    ]
    last = record.last_seq
    if screen.barred_at is not None:
        late = [display for display in screen.shown if display.at > screen.barred_at + screen.bound]
        verdict.disorder += [f"{screen.name} was shown {display.seq} after its end" for display in late]
        last = screen.last or 0
    missing = {seq for seq, _, _ in record.events if screen.base < seq <= last} - set(seqs)
    verdict.lost += [f"{screen.name} does not show {seq}" for seq in sorted(missing)]
    _check_texts(screen, record, verdict)


def _check_texts(screen: Screen, record: Record, verdict: Verdict) -> None:
    rows: dict[int, Any] = {row.id: row for row in record.messages}
    if screen.snapshot is not None:
        expected = {row.id for row in record.messages if row.seq <= (screen.base or 0)}
        verdict.lost += [f"{screen.name} has not loaded {m}" for m in expected - set(screen.snapshot)]
        verdict.disorder += [f"{screen.name} has loaded {m}" for m in set(screen.snapshot) - expected]
    for display in screen.shown:
        if display.kind == "message.posted" and display.message is not None:
            row = rows.get(display.message)
            if row is None or row.seq != display.seq or (row.body is not None and row.body != display.body):
                verdict.disorder.append(f"{screen.name} shows {display}, the database has {row}")
