"""One sender, many readers, at most k messages in flight: what a delivery costs the server."""

import asyncio
import time

import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import Audience, Flood, close_all, connect, enter_all
from benchmarks.plan import Plan
from benchmarks.servers import Server

IN_FLIGHT = (1, 16)


def flood(plan: Plan, *, sender_at: Server, readers_at: Server) -> dict[int, dict[str, float]]:
    """By messages in flight: CPU of the readers' process per delivery, deliveries/s, delays, client load."""
    return uvloop.run(_flood(plan, sender_at, readers_at))


async def _flood(plan: Plan, sender_at: Server, readers_at: Server) -> dict[int, dict[str, float]]:
    peer = readers_at.peer
    room = 1
    tickets: list[str | None] = [None] * (plan.readers + 1)
    if peer.tickets:
        room = await asyncio.to_thread(world.make_room)
        tickets = [*await asyncio.to_thread(world.tickets, plan.readers + 1)]
    audience = Audience(plan.readers, in_order=peer.ordered)
    sender = await connect(sender_at.port, peer.dialect)
    await sender.greet(tickets[0])
    readers = await enter_all(readers_at.port, peer.dialect, room, tickets[1:], audience=audience)
    results = {}
    for in_flight in IN_FLIGHT:
        run = Flood(sender, audience, room, in_flight)
        await run.run(plan.warm_up_seconds)
        results[in_flight] = await _measured(run, plan, readers_at)
    await close_all([sender, *readers])
    return results


async def _measured(run: Flood, plan: Plan, server: Server) -> dict[str, float]:
    pid = server.pid
    server_before, client_before, begin = measure.cpu_seconds(pid), time.process_time(), time.perf_counter()
    await run.run(plan.flood_seconds)
    server_after, client_after, end = measure.cpu_seconds(pid), time.process_time(), time.perf_counter()
    deliveries = len(run.delays) * plan.readers
    elapsed = end - begin
    return {
        "microseconds_per_delivery": (server_after - server_before) / deliveries * 1e6,
        "deliveries_per_second": deliveries / elapsed,
        "p50_ms": measure.percentile(run.delays, 0.50) * 1e3,
        "p99_ms": measure.percentile(run.delays, 0.99) * 1e3,
        "server_busy_share": (server_after - server_before) / elapsed,
        "client_busy_share": (client_after - client_before) / elapsed,
        "deliveries": deliveries,
        "out_of_order": run.audience.disorder(),
    }
