"""Durable acknowledged sends: 256 in flight, in one room and in 20, with one reader in each room."""

import asyncio
import time
from dataclasses import dataclass, field

import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import ANSWER_SECONDS, Audience, Link, body, close_all, connect
from benchmarks.plan import Plan, Sample
from benchmarks.servers import DURABLE, OURS, UNBATCHED, Peer, Server, running

NAME = "durable"
PEERS = [OURS, DURABLE, UNBATCHED]
SENDERS = 32
IN_FLIGHT_EACH = 8
ROOMS = {"one room": 1, "20 rooms": 20}


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    with running(peer) as server:
        return [
            Sample(NAME, variant, peer.name, repeat, uvloop.run(_send(plan, server, rooms)))
            for variant, rooms in ROOMS.items()
        ]


@dataclass(slots=True)
class Writer:
    """A socket that keeps its share of sends in flight; its sends go to the rooms in turn."""

    link: Link
    rooms: list[int]
    until: float = 0.0
    ref: int = 1000
    sent_at: dict[int, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    sent: dict[int, int] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, until: float) -> None:
        self.until = until
        self.delays.clear()
        self.done.clear()
        self.link.on_acknowledged = self._acknowledged
        for _ in range(IN_FLIGHT_EACH):
            self._send()

    def _send(self) -> None:
        self.ref += 1
        room = self.rooms[self.ref % len(self.rooms)]
        self.sent[room] = self.sent.get(room, 0) + 1
        self.sent_at[self.ref] = time.perf_counter()
        self.link.send(self.link.dialect.post(self.ref, room, body(self.ref)))

    def _acknowledged(self, ref: int) -> None:
        now = time.perf_counter()
        self.delays.append(now - self.sent_at.pop(ref))
        if now < self.until:
            self._send()
        elif not self.sent_at:
            self.done.set()


async def _send(plan: Plan, server: Server, count: int) -> dict[str, float]:
    peer = server.peer
    offset = 0 if count == 1 else 1
    rooms = list(range(1 + offset, 1 + offset + count))
    tickets: list[str | None] = [None] * (SENDERS + count)
    if peer.tickets:
        rooms = [await asyncio.to_thread(world.make_room) for _ in range(count)]
        tickets = [*await asyncio.to_thread(world.tickets, SENDERS + count)]
    audiences = {room: Audience(1) for room in rooms}
    readers = []
    for room, audience in audiences.items():
        readers.append(await connect(server.port, peer.dialect, audience))
        await readers[-1].enter(room, tickets.pop())
    writers = []
    for number in range(SENDERS):
        link = await connect(server.port, peer.dialect)
        await link.greet(tickets.pop())
        writers.append(Writer(link, rooms, ref=1000 + number))
    await _run(writers, plan.warm_up_seconds)
    pid = server.pid
    server_before, client_before, begin = measure.cpu_seconds(pid), time.process_time(), time.perf_counter()
    await _run(writers, plan.durable_seconds)
    elapsed = time.perf_counter() - begin
    delays = [delay for writer in writers for delay in writer.delays]
    values = {
        "sends_per_second": len(delays) / elapsed,
        "p50_ms": measure.percentile(delays, 0.50) * 1e3,
        "p99_ms": measure.percentile(delays, 0.99) * 1e3,
        "server_microseconds_per_send": (measure.cpu_seconds(pid) - server_before) / len(delays) * 1e6,
        "client_busy_share": (time.process_time() - client_before) / elapsed,
        "sends": len(delays),
    }
    await _check(audiences, writers)
    await close_all([*readers, *(writer.link for writer in writers)])
    return values


async def _run(writers: list[Writer], seconds: float) -> None:
    until = time.perf_counter() + seconds
    for writer in writers:
        writer.start(until)
    async with asyncio.timeout(seconds + ANSWER_SECONDS):
        await asyncio.gather(*(writer.done.wait() for writer in writers))


async def _check(audiences: dict[int, Audience], writers: list[Writer]) -> None:
    """Every send was acknowledged, none refused; each must also come to its room's reader, once."""
    if refusal := next((writer.link.refusal for writer in writers if writer.link.refusal), None):
        raise RuntimeError(f"a send was refused: {refusal}")
    for room, audience in audiences.items():
        sent = sum(writer.sent.get(room, 0) for writer in writers)
        deadline = time.perf_counter() + ANSWER_SECONDS
        while len(audience.events) < sent and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        audience.check(sent)
