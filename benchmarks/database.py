"""What is measured without many sockets: pages of a large room, and a room that is locked."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import uvloop
from django.conf import settings

from benchmarks import people
from benchmarks.load.dialects import Ours, connect
from benchmarks.measure import percentile
from benchmarks.servers import OURS, serving
from chat.models import Message
from chat.snapshots import message_page
from chat.text.render import render

if TYPE_CHECKING:
    from benchmarks.run import Runner

PINGS_EVERY = 0.02
LOCK_SECONDS = 3.0
PAGES = 300


@contextmanager
def statements_logged() -> Iterator[None]:
    """PostgreSQL logs every statement meanwhile, to be counted."""
    with psycopg.connect(_conninfo(), autocommit=True) as database:
        try:
            database.execute("ALTER SYSTEM SET log_statement = 'all'")
            database.execute("SELECT pg_reload_conf()")
            yield
        finally:
            database.execute("ALTER SYSTEM RESET log_statement")
            database.execute("SELECT pg_reload_conf()")


def history(runner: "Runner", quick: bool) -> None:
    """Pages of 50 in one room of five million messages: the newest, the middle, the millionth page."""
    messages = 200_000 if quick else 5_000_000
    owner = people.people(1)[0]
    (room,) = people.rooms(owner, 1)
    fill(room, owner.pk, messages)
    # The page that is 50 messages before which the millionth begins, or the oldest there is.
    places = {"the newest page": messages + 2, "the middle": messages // 2, "the oldest page": 120}
    plans = {}
    for name, before in places.items():
        waits = []
        for number in range(PAGES):
            started = time.perf_counter()
            page = message_page(owner, room, before=before - number % 50, limit=50)
            waits.append(time.perf_counter() - started)
            if len(page.results) != 50:
                raise RuntimeError("a page is not full")
        plans[name] = plan(room, before)
        runner.keep(
            f"page of 50 from {messages:,} messages",
            name,
            {"p50_ms": percentile(waits, 0.5) * 1e3, "p99_ms": percentile(waits, 0.99) * 1e3},
        )
    runner.keep("plans", "the same at every page", {"yes": float(len(set(plans.values())) == 1)})


def fill(room: int, author: int, messages: int) -> None:
    """COPY of messages and of their events."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    body = (
        "A message of a hundred characters, more or less, as people write them in a room on most days.".ljust(
            100, "."
        )
    )
    html = render(body)

    def moments() -> Iterator[tuple[int, datetime]]:
        for number in range(messages):
            yield number + 2, begin + timedelta(seconds=number)

    with psycopg.connect(_conninfo(), autocommit=False) as database, database.cursor() as cursor:
        (first,) = cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM chat_message").fetchone() or (1,)
        with cursor.copy(
            "COPY chat_message (id, room_id, seq, author_id, client_id, body, html, created_at) FROM STDIN"
        ) as copy:
            for seq, at in moments():
                copy.write_row((first + seq, room, seq, author, uuid.UUID(int=seq), body, html, at))
        with cursor.copy(
            "COPY chat_roomevent (room_id, seq, kind, actor_id, message_id, data, created_at) FROM STDIN"
        ) as copy:
            for seq, at in moments():
                copy.write_row((room, seq, "message.posted", author, first + seq, "{}", at))
        cursor.execute("UPDATE chat_room SET last_seq = %s WHERE id = %s", [messages + 1, room])
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('chat_message', 'id'), (SELECT max(id) FROM chat_message))"
        )
        database.commit()
        database.autocommit = True
        cursor.execute("VACUUM ANALYZE chat_message")


def plan(room: int, before: int) -> str:
    """The plan of a page, without its numbers."""
    from chat.models import Message

    found = (
        Message.objects.filter(room_id=room, seq__lt=before).select_related("author").order_by("-seq")[:50]
    )
    return found.explain(costs=False).replace(str(before), "N")


def _conninfo() -> str:
    options = settings.DATABASES["default"]
    return f"host={options['HOST']} user={options['USER']} dbname={options['NAME']}"


def stall(runner: "Runner", quick: bool) -> None:
    """A transaction holds one room for three seconds while someone posts there; others ping."""
    for _ in range(1 if quick else runner.repeats):
        users = people.people(10)
        locked, other = people.rooms(users[0], 2)
        sessions = people.sessions(users)
        with serving(OURS) as server:
            waits = uvloop.run(_pings_beside_a_lock(server.port, sessions, locked, other))
        figures = {"p99_ms": percentile(waits, 0.99) * 1e3, "worst_ms": max(waits) * 1e3, "pings": len(waits)}
        runner.keep("pings beside a room locked for 3 s", "ours", figures)


async def _pings_beside_a_lock(port: int, sessions: list[str], locked: int, other: int) -> list[float]:
    async def enter(number: int, room: int) -> Ours:
        connection = await connect(
            "ours", port, lambda *_: None, session=sessions[number % 10], rooms=(room,)
        )
        assert isinstance(connection, Ours)
        await connection.enter()
        return connection

    poster = await enter(0, locked)
    sockets = [await enter(number, other) for number in range(50)]
    waits: list[float] = []

    async def ping_for_a_while(socket: Ours) -> None:
        until = time.perf_counter() + LOCK_SECONDS
        while time.perf_counter() < until:
            started = time.perf_counter()
            await socket.answer(lambda done: socket.command("ping", done))
            waits.append(time.perf_counter() - started)
            await asyncio.sleep(PINGS_EVERY)

    with psycopg.connect(_conninfo()) as database:
        database.execute("SELECT 1 FROM chat_room WHERE id = %s FOR UPDATE", [locked])
        # Refused after the lock's own time-out; the scenario does not wait for its answer.
        poster.refusals_expected = True
        poster.post(locked, "x", lambda _: None)
        try:
            await asyncio.gather(*(ping_for_a_while(socket) for socket in sockets))
        finally:
            database.rollback()
    return waits
