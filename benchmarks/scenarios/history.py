"""Pages of 50 from a room with 5 M messages: the newest, a million messages back, the middle, the oldest."""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.client import HTTPConnection

import psycopg
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from benchmarks import measure, world
from benchmarks.load.clients import body
from benchmarks.plan import Plan, Sample
from benchmarks.servers import OURS, Peer, Server, running
from chat.models import Room
from chat.snapshots import message_page

NAME = "history"
PEERS = [OURS]
PAGE = 50
AUTHORS = 200
ROWS_A_WRITE = 10_000
MILLION = 1_000_000
SPREAD_MESSAGES = 10_000
COLUMNS = "room_id, seq, author_id, client_id, body, html, created_at"


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    count = plan.history_messages
    room = _make_history(count)
    user = world.people(1)[0]
    chance = random.Random(repeat)
    samples = []
    with running(peer) as server:
        for place, newest in _places(count).items():
            befores = [newest + 1 - chance.randrange(SPREAD_MESSAGES) for _ in range(plan.history_reads)]
            plans = {"plan": _plan(user, room, befores[0])}
            for door, read in (
                ("in process", _in_process(user, room)),
                ("over HTTP", _over_http(server, room)),
            ):
                read(befores[0])
                values = _timed(read, befores)
                samples.append(Sample(NAME, f"{place}, {door}", peer.name, repeat, values, plans))
    return samples


def _places(count: int) -> dict[str, int]:
    """The newest seq of each place. Fewer messages than two million have no millionth page apart."""
    back = MILLION if count > 2 * MILLION else count // 4
    return {
        "newest": count,
        f"{back:,} messages back": count - back,
        "middle": count // 2,
        "oldest": SPREAD_MESSAGES + PAGE,
    }


def _in_process(user: User, room: int) -> Callable[[int], None]:
    def read(before: int) -> None:
        page = message_page(user, room, before=before, limit=PAGE)
        seqs = [message.seq for message in page.results]
        if seqs != list(range(before - PAGE, before)):
            raise RuntimeError(f"the page before {before} holds {seqs}")

    return read


def _over_http(server: Server, room: int) -> Callable[[int], None]:
    http = HTTPConnection("127.0.0.1", server.port, timeout=30)

    def read(before: int) -> None:
        http.request("GET", f"/api/v1/rooms/{room}/messages?before={before}&limit={PAGE}")
        answer = http.getresponse()
        text = answer.read()
        if answer.status != 200 or text.count(b'"client_id"') != PAGE:
            raise RuntimeError(f"the page before {before} was answered with {answer.status}: {text[:200]!r}")

    return read


def _timed(read: Callable[[int], None], befores: list[int]) -> dict[str, float]:
    delays = []
    for before in befores:
        begin = time.perf_counter()
        read(before)
        delays.append(time.perf_counter() - begin)
    return {
        "p50_ms": measure.percentile(delays, 0.50) * 1e3,
        "p99_ms": measure.percentile(delays, 0.99) * 1e3,
        "max_ms": max(delays) * 1e3,
        "reads": len(delays),
    }


def _plan(user: User, room: int, before: int) -> str:
    """How PostgreSQL finds the messages of a page: the plan without its numbers."""
    with CaptureQueriesContext(connection) as captured:
        message_page(user, room, before=before, limit=PAGE)
    (query,) = [one["sql"] for one in captured.captured_queries if 'FROM "chat_message" INNER' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {query}")
        return re.sub(r"\d+", "N", "\n".join(line for (line,) in cursor.fetchall()))


@cache
def _make_history(count: int) -> int:
    """A room with ``count`` messages, streamed with COPY; its log has been pruned, as after a month."""
    room = world.make_room()
    began = time.monotonic()
    statement = f"COPY chat_message ({COLUMNS}) FROM STDIN"
    with psycopg.connect(os.environ["DATABASE_URL"]) as database, database.cursor().copy(statement) as copy:
        for rows in _rows(room, count):
            copy.write(rows)
    Room.objects.filter(pk=room).update(last_seq=count, first_seq=count + 1)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("ANALYZE chat_message")
    print(f"history: {count:,} messages in {time.monotonic() - began:.0f} s", flush=True)
    return room


def _rows(room: int, count: int) -> Iterator[str]:
    """Lines of COPY's text format, many at a time; a message a second, by 200 people in turn."""
    authors = [user.pk for user in world.people(AUTHORS)]
    first_at = datetime.now(UTC) - timedelta(seconds=count)
    chance = random.Random(count)
    for begin in range(1, count + 1, ROWS_A_WRITE):
        lines = []
        for seq in range(begin, min(begin + ROWS_A_WRITE, count + 1)):
            text = body(seq)
            at = first_at + timedelta(seconds=seq)
            client_id = f"{chance.getrandbits(128):032x}"
            fields = (room, seq, authors[seq % AUTHORS], client_id, text, f"<p>{text}</p>\\n", at)
            lines.append("\t".join(map(str, fields)))
        yield "\n".join([*lines, ""])
