"""20 messages a second to 1,000 readers: how long until the last of them has it."""

import asyncio
import time

import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import ANSWER_SECONDS, Audience, Link, body, close_all, connect, enter_all
from benchmarks.plan import Plan, Sample
from benchmarks.servers import OURS, SOCKETIO, WS, Peer, Server, running

NAME = "latency"
# The textbook consumer does not come to 20,000 deliveries a second: its queue would only grow.
PEERS = [OURS, SOCKETIO, WS]
PER_SECOND = 20
FIRST_REF = 1000


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    with running(peer) as server:
        values = uvloop.run(_latency(plan, server))
    return [Sample(NAME, f"{PER_SECOND} messages/s", peer.name, repeat, values)]


async def _latency(plan: Plan, server: Server) -> dict[str, float]:
    peer, count = server.peer, plan.latency_readers
    room = 1
    tickets: list[str | None] = [None] * (count + 1)
    if peer.tickets:
        room = await asyncio.to_thread(world.make_room)
        tickets = [*await asyncio.to_thread(world.tickets, count + 1)]
    audience = Audience(count, in_order=peer.ordered)
    sender = await connect(server.port, peer.dialect)
    await sender.greet(tickets[0])
    readers = await enter_all(server.port, peer.dialect, room, tickets[1:], audience=audience)
    await _tick(sender, audience, room, messages=PER_SECOND // 2)  # warms up
    messages = round(plan.latency_seconds * PER_SECOND)
    server_before, client_before, begin = (
        measure.cpu_seconds(server.pid),
        time.process_time(),
        time.perf_counter(),
    )
    delays = await _tick(sender, audience, room, messages=messages)
    elapsed = time.perf_counter() - begin
    values = {
        "p50_ms": measure.percentile(delays, 0.50) * 1e3,
        "p99_ms": measure.percentile(delays, 0.99) * 1e3,
        "max_ms": max(delays) * 1e3,
        "server_busy_share": (measure.cpu_seconds(server.pid) - server_before) / elapsed,
        "client_busy_share": (time.process_time() - client_before) / elapsed,
        "messages": messages,
    }
    await close_all([sender, *readers])
    return values


async def _tick(sender: Link, audience: Audience, room: int, *, messages: int) -> list[float]:
    """Sends at fixed times, whether or not the last one has arrived; seconds to the last reader of each."""
    before = len(audience.events)
    sent_at: list[float] = []
    arrived_at: dict[int, float] = {}
    all_arrived = asyncio.Event()

    def arrived(place: int) -> None:
        arrived_at[place - before] = time.perf_counter()
        if len(arrived_at) == messages:
            all_arrived.set()

    audience.completed = arrived
    begin = time.perf_counter()
    for number in range(messages):
        await asyncio.sleep(max(0.0, begin + number / PER_SECOND - time.perf_counter()))
        sent_at.append(time.perf_counter())
        sender.send(sender.dialect.post(FIRST_REF + before + number, room, body(number)))
    async with asyncio.timeout(ANSWER_SECONDS):
        await all_arrived.wait()
    audience.check(before + messages)
    return [arrived_at[number] - at for number, at in enumerate(sent_at)]
