"""The work: what the load client does and what it reads off the measured process meanwhile.

Every scenario checks that each reader got each message once, and ours in order; a run in which that does
not hold is no measurement and fails.
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.dialects import Connection, Ours, connect, enter_all
from benchmarks.measure import cpu_seconds, percentile, resident_kib

BODY_CHARS = 100
MARK = b'"n='
DEADLINE = 120.0


@dataclass
class Job:
    """One measurement: which server, by which dialect, how much."""

    dialect: str
    port: int
    pid: int
    sender_port: int
    sessions: list[str]
    rooms: list[int]
    joins: bool
    options: dict[str, Any]

    @property
    def followed(self) -> tuple[int, ...]:
        """The rooms a reader has to ask for."""
        return tuple(self.rooms) if self.joins else ()

    def option(self, name: str) -> Any:
        return self.options[name]


def body_of(number: int) -> str:
    """100 characters of plain text that carry the message's number."""
    return f"n={number:08d} ".ljust(BODY_CHARS, "x")


class Tally:
    """Counts who has which message; a message is complete when its last reader has it."""

    def __init__(self, readers: int, on_complete: Callable[[int], None]) -> None:
        self.readers = readers
        self.on_complete = on_complete
        self.left: dict[int, int] = {}
        self.out_of_order = 0

    def event(self, connection: Connection, payload: bytes) -> None:
        at = payload.find(MARK) + len(MARK)
        if at < len(MARK):
            return
        number = int(payload[at : at + 8])
        if number != connection.expected:
            self.out_of_order += 1
        connection.expected = number + 1
        left = self.left.get(number, self.readers) - 1
        self.left[number] = left
        if left == 0:
            del self.left[number]
            self.on_complete(number)


class Stopwatch:
    """Wall time, CPU of the measured process and of this one, between start and stop."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def start(self) -> None:
        self._wall, self._cpu, self._own = time.perf_counter(), cpu_seconds(self.pid), time.process_time()

    def stop(self) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = cpu_seconds(self.pid) - self._cpu
        self.busy = (time.process_time() - self._own) / self.wall


async def fanout(job: Job) -> dict[str, float]:
    """``readers`` on one process, a sender on another (or the same), ``in_flight`` messages under way."""
    readers, in_flight = job.option("readers"), job.option("in_flight")
    warmup, messages = job.option("warmup"), job.option("messages")
    total = warmup + messages
    watch, sent_at, latencies = Stopwatch(job.pid), [0.0] * total, []
    finished = asyncio.Event()
    number = 0

    def send() -> None:
        nonlocal number
        if number == warmup:
            watch.start()
        if number < total:
            sent_at[number] = time.perf_counter()
            sender.post(job.rooms[0], body_of(number), lambda _: None)
            number += 1

    def complete(which: int) -> None:
        if which >= warmup:
            latencies.append(time.perf_counter() - sent_at[which])
        if len(latencies) == messages:
            watch.stop()
            finished.set()
        send()

    tally = Tally(readers, complete)
    everyone = await enter_all(
        job.dialect, job.port, readers, tally.event, sessions=job.sessions, rooms=job.followed
    )
    sender = await connect(
        job.dialect, job.sender_port, lambda *_: None, session=(job.sessions or [""])[0], rooms=job.followed
    )
    await sender.enter()
    for _ in range(in_flight):
        send()
    await asyncio.wait_for(finished.wait(), DEADLINE)
    check(tally, everyone)
    deliveries = messages * readers
    return {
        "cpu_us": watch.cpu / deliveries * 1e6,
        "per_second": deliveries / watch.wall,
        "p50_ms": percentile(latencies, 0.5) * 1e3,
        "p99_ms": percentile(latencies, 0.99) * 1e3,
        "client_busy": watch.busy,
        "server_busy": watch.cpu / watch.wall,
        "out_of_order": float(tally.out_of_order),
    }


async def durable(job: Job) -> dict[str, float]:
    """Acknowledged sends: ``senders`` sockets with ``each`` in flight, spread over the rooms."""
    senders, each = job.option("senders"), job.option("each")
    warmup, messages = job.option("warmup"), job.option("messages")
    watch, waits = Stopwatch(job.pid), []
    finished = asyncio.Event()
    seen: dict[str, int] = {}
    acknowledged = sent = 0

    def count(_connection: Connection, payload: bytes) -> None:
        at = payload.find(MARK) + len(MARK)
        if at >= len(MARK):  # else someone joined
            body = payload[at : at + 8].decode()
            seen[body] = seen.get(body, 0) + 1

    def send(sender: Connection, room: int) -> None:
        nonlocal sent
        if sent >= warmup + messages:
            return
        started = time.perf_counter()

        def done(_answer: Any) -> None:
            nonlocal acknowledged
            acknowledged += 1
            if acknowledged == warmup:
                watch.start()
            elif acknowledged > warmup:
                waits.append(time.perf_counter() - started)
            if acknowledged == warmup + messages:
                watch.stop()
                finished.set()
            send(sender, room)

        sender.post(room, body_of(sent), done)
        sent += 1

    for room in job.rooms:
        await enter_all(job.dialect, job.port, 1, count, sessions=job.sessions, rooms=(room,))
    sockets = await enter_all(
        job.dialect, job.port, senders, lambda *_: None, sessions=job.sessions, rooms=()
    )
    for place, sender in enumerate(sockets):
        for _ in range(each):
            send(sender, job.rooms[place % len(job.rooms)])
    await asyncio.wait_for(finished.wait(), DEADLINE)
    async with asyncio.timeout(10):
        while len(seen) < sent:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    if any(times != 1 for times in seen.values()):
        raise RuntimeError("a reader got a message more than once")
    return {
        "per_second": messages / watch.wall,
        "cpu_us": watch.cpu / messages * 1e6,
        "p50_ms": percentile(waits, 0.5) * 1e3,
        "p99_ms": percentile(waits, 0.99) * 1e3,
        "client_busy": watch.busy,
        "server_busy": watch.cpu / watch.wall,
    }


async def latency(job: Job) -> dict[str, float]:
    """``rate`` messages a second to ``readers``: the time from the send to the last of them."""
    readers, rate, messages = job.option("readers"), job.option("rate"), job.option("messages")
    watch, sent_at, latencies = Stopwatch(job.pid), [0.0] * messages, []
    finished = asyncio.Event()

    def complete(which: int) -> None:
        latencies.append(time.perf_counter() - sent_at[which])
        if len(latencies) == messages:
            finished.set()

    tally = Tally(readers, complete)
    everyone = await enter_all(
        job.dialect, job.port, readers, tally.event, sessions=job.sessions, rooms=job.followed
    )
    sender = await connect(
        job.dialect, job.sender_port, lambda *_: None, session=(job.sessions or [""])[0], rooms=job.followed
    )
    await sender.enter()
    watch.start()
    began = time.perf_counter()
    for number in range(messages):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        sent_at[number] = time.perf_counter()
        sender.post(job.rooms[0], body_of(number), lambda _: None)
    await asyncio.wait_for(finished.wait(), DEADLINE)
    watch.stop()
    check(tally, everyone)
    return {
        "p50_ms": percentile(latencies, 0.5) * 1e3,
        "p99_ms": percentile(latencies, 0.99) * 1e3,
        "client_busy": watch.busy,
        "server_busy": watch.cpu / watch.wall,
    }


async def idle(job: Job) -> dict[str, float]:
    """``sockets`` that have entered and say nothing: memory each, and how fast they came."""
    count = job.option("sockets")
    for connection in await enter_all(
        job.dialect, job.port, 200, lambda *_: None, sessions=job.sessions, rooms=job.followed
    ):
        connection.transport.disconnect()
    before = await settled_kib(job.pid)
    watch = Stopwatch(job.pid)
    watch.start()
    sockets = await enter_all(
        job.dialect, job.port, count, lambda *_: None, sessions=job.sessions, rooms=job.followed, at_once=64
    )
    watch.stop()
    after = await settled_kib(job.pid)
    if any(socket.closed for socket in sockets):
        raise RuntimeError("a socket was closed")
    return {
        "kib_each": (after - before) / count,
        "handshakes_per_second": count / watch.wall,
        "handshake_cpu_ms": watch.cpu / count * 1e3,
        "client_busy": watch.busy,
    }


async def settled_kib(pid: int) -> int:
    """Resident memory after two collections, with time for what is closing to close."""
    for _ in range(2):
        await asyncio.sleep(2)
        os.kill(pid, signal.SIGUSR2)
    await asyncio.sleep(1)
    return resident_kib(pid)


async def reconnect(job: Job) -> dict[str, float]:
    """All readers are cut at once, miss some messages, and come back at once."""
    readers, missed = job.option("readers"), job.option("missed")
    room = job.rooms[0]
    tally = Tally(readers, lambda _: None)
    before = await enter_all("ours", job.port, readers, tally.event, sessions=job.sessions, rooms=(room,))
    sender = await connect("ours", job.port, lambda *_: None, session=job.sessions[0])
    assert isinstance(sender, Ours)
    await sender.hello()
    opened = await sender.open(room)
    for connection in before:
        connection.transport.underlying_transport.abort()
    await asyncio.sleep(1)
    for number in range(missed):
        await sender.answer(lambda done, number=number: sender.post(room, body_of(number), done))  # type: ignore[misc]

    back: list[Ours] = []
    caught_up = asyncio.Event()
    tally = Tally(readers, lambda which: caught_up.set() if which == missed - 1 else None)
    log = StatementLog(Path(job.option("postgres_log")))
    started = time.perf_counter()

    async def greet(number: int) -> None:
        session = job.sessions[number % len(job.sessions)]
        connection = await connect("ours", job.port, tally.event, session=session)
        assert isinstance(connection, Ours)
        await connection.hello()
        back.append(connection)

    await asyncio.gather(*(greet(number) for number in range(readers)))
    hello_statements, hello_seconds = log.since_last(), time.perf_counter() - started
    position = {"after": opened["head"], "epoch": opened["epoch"]}
    await asyncio.gather(*(connection.open(room, **position) for connection in back))
    await asyncio.wait_for(caught_up.wait(), DEADLINE)
    seconds = time.perf_counter() - started
    resume_statements = log.since_last()
    check(tally, list(back))
    return {
        "hello_statements_each": hello_statements / readers,
        "resume_statements": float(resume_statements),
        "seconds": seconds,
        "hello_seconds": hello_seconds,
        "resume_seconds": seconds - hello_seconds,
    }


class StatementLog:
    """Counts what PostgreSQL logs (log_statement = all), but the hub's own heal and recheck."""

    BACKGROUND = ("pg_control_system", "accounts_tokenfamily", "session_key IN", "LIMIT 0")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size

    def since_last(self) -> int:
        """Statements logged since the last call."""
        with self._path.open(encoding="utf-8", errors="replace") as log:
            log.seek(self._offset)
            lines = log.read().splitlines()
            self._offset = log.tell()
        # An empty statement is the pool's way to see whether a connection is alive.
        found = [line for line in lines if re.search(r"LOG:  (execute .*|statement): \S", line)]
        return sum(1 for line in found if not any(mark in line for mark in self.BACKGROUND))


def check(tally: Tally, readers: list[Connection]) -> None:
    """Raises where a reader missed something or got it twice, and where ours were out of order.

    Most peers promise no order: theirs is only reported.
    """
    if tally.left:
        raise RuntimeError(f"{len(tally.left)} messages did not reach everyone, or not once")
    if tally.out_of_order and isinstance(readers[0], Ours):
        raise RuntimeError(f"{tally.out_of_order} deliveries were out of order")
    if any(reader.closed for reader in readers):
        raise RuntimeError("a reader was closed")


SCENARIOS = {
    "fanout": fanout,
    "durable": durable,
    "latency": latency,
    "idle": idle,
    "reconnect": reconnect,
}
