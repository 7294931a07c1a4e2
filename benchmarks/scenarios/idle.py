"""Idle signed-in sockets with one room open: memory for each, and how fast they come."""

import asyncio
import time

import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import Link, close_all, enter_all
from benchmarks.plan import Plan, Sample
from benchmarks.servers import OURS, SOCKETIO, TEXTBOOK, WS, Peer, Server, running

NAME = "idle"
PEERS = [OURS, SOCKETIO, WS, TEXTBOOK]
WARM_UP_SOCKETS = 200
TICKETS_AT_ONCE = 1000


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    if repeat >= plan.idle_repeats:
        return []
    with running(peer) as server:
        values = uvloop.run(_idle(plan.idle_sockets, server))
    return [Sample(NAME, f"{plan.idle_sockets} sockets", peer.name, repeat, values)]


async def _idle(count: int, server: Server) -> dict[str, float]:
    """The first sockets load code and fill caches; they are gone before the baseline is read."""
    room = await asyncio.to_thread(world.make_room) if server.peer.tickets else 1
    await close_all((await _enter(WARM_UP_SOCKETS, server, room))[0])
    await asyncio.to_thread(server.collect_garbage)
    before = measure.memory_kilobytes(server.pid)
    cpu_before, client_before = measure.cpu_seconds(server.pid), time.process_time()
    links, seconds = await _enter(count, server, room)
    cpu, client = measure.cpu_seconds(server.pid) - cpu_before, time.process_time() - client_before
    await asyncio.to_thread(server.collect_garbage)
    after = measure.memory_kilobytes(server.pid)
    if any(link.closed for link in links):
        raise RuntimeError(f"{sum(link.closed for link in links)} idle sockets were closed by the server")
    await close_all(links)
    return {
        "kilobytes_per_socket": (after - before) / count,
        "baseline_kilobytes": before,
        "handshakes_per_second": count / seconds,
        "microseconds_per_handshake": cpu / count * 1e6,
        "client_busy_share": client / seconds,
    }


async def _enter(count: int, server: Server, room: int) -> tuple[list[Link], float]:
    """Sockets that have greeted and joined, and the seconds that took, making tickets not counted."""
    links: list[Link] = []
    seconds = 0.0
    for begin in range(0, count, TICKETS_AT_ONCE):
        part = min(TICKETS_AT_ONCE, count - begin)
        tickets: list[str | None] = [None] * part
        if server.peer.tickets:
            tickets = [*await asyncio.to_thread(world.tickets, part)]
        started = time.perf_counter()
        links += await enter_all(server.port, server.peer.dialect, room, tickets, at_once=64)
        seconds += time.perf_counter() - started
    return links, seconds
