"""A query that holds one room for 3 s, with sends waiting behind it: what the other sockets notice."""

import asyncio
import os
import time

import psycopg
import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import Link, body, close_all, connect, enter_all
from benchmarks.load.dialects import Ours
from benchmarks.plan import Plan, Sample
from benchmarks.servers import OURS, Peer, Server, running

NAME = "stall"
PEERS = [OURS]
PINGING_SOCKETS = 50
PING_SECONDS = 0.020
WAITING_SENDS = 20
BEFORE_SECONDS = 0.5
FIRST_REF = 1000


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    with running(peer) as server:
        values = uvloop.run(_stall(plan, server))
    return [Sample(NAME, "one room locked", peer.name, repeat, values)]


async def _stall(plan: Plan, server: Server) -> dict[str, float]:
    locked, other = [await asyncio.to_thread(world.make_room) for _ in range(2)]
    tickets = await asyncio.to_thread(world.tickets, PINGING_SOCKETS + 1)
    dialect = Ours()
    poster = await connect(server.port, dialect)
    await poster.enter(locked, tickets.pop())
    links = await enter_all(server.port, dialect, other, tickets)
    stop = asyncio.Event()
    pings = [asyncio.create_task(_ping(link, dialect, stop)) for link in links]
    await asyncio.sleep(BEFORE_SECONDS)
    begin = time.perf_counter()
    holder = asyncio.create_task(asyncio.to_thread(_hold, locked, plan.stall_seconds))
    await asyncio.sleep(0.05)
    poster.on_acknowledged = lambda _: None
    for number in range(WAITING_SENDS):
        poster.send(dialect.post(FIRST_REF + number, locked, body(number)))
    await holder
    end = time.perf_counter()
    stop.set()
    answered = [ping for pings_of_one in await asyncio.gather(*pings) for ping in pings_of_one]
    during = [delay for at, delay in answered if begin <= at <= end]
    await close_all([poster, *links])
    return {
        "max_ms": max(during) * 1e3,
        "p99_ms": measure.percentile(during, 0.99) * 1e3,
        "p50_ms": measure.percentile(during, 0.50) * 1e3,
        "max_before_ms": max(delay for at, delay in answered if at < begin) * 1e3,
        "pings": len(during),
    }


async def _ping(link: Link, dialect: Ours, stop: asyncio.Event) -> list[tuple[float, float]]:
    """Pings until told to stop: when each was sent, and its delay in seconds."""
    delays: list[tuple[float, float]] = []
    ref = FIRST_REF
    while not stop.is_set():
        ref += 1
        sent_at = time.perf_counter()
        await link.ask(ref, dialect.ping(ref))
        delays.append((sent_at, time.perf_counter() - sent_at))
        await asyncio.sleep(max(0.0, sent_at + PING_SECONDS - time.perf_counter()))
    return delays


def _hold(room: int, seconds: float) -> None:
    """Another program's transaction that keeps the room's row locked."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1 FROM chat_room WHERE id = %s FOR UPDATE", [room])
        connection.execute("SELECT pg_sleep(%s)", [seconds])
