"""1,000 readers are cut at once, miss 20 messages and come back at once with the position they had.

One member stays in the room and posts meanwhile. Statements are counted in a first pass, in which all say
hello and then all open the room; the time is taken in a second one, in which each does both as it comes.
"""

import asyncio
import re
import socket
import struct
import time
from dataclasses import dataclass

import uvloop

from benchmarks import measure, world
from benchmarks.load.clients import (
    ANSWER_SECONDS,
    JOIN_REF,
    Audience,
    Link,
    WrongDelivery,
    body,
    close_all,
    connect,
    enter_all,
)
from benchmarks.load.dialects import Ours, seq_of
from benchmarks.plan import Plan, Sample
from benchmarks.servers import OURS, Peer, Server, running
from benchmarks.statements import logged

NAME = "reconnect"
PEERS = [OURS]
MISSED = 20
FIRST_REF = 1000
# Longer than the longest period of what the server asks by itself.
QUIET_SECONDS = 11.0
_POSITION = re.compile(rb'"epoch":"([0-9a-f]+)","head":(\d+)')


@dataclass(slots=True)
class Position:
    """Where a reader stopped."""

    epoch: str
    seq: int


def measure_peer(peer: Peer, plan: Plan, repeat: int) -> list[Sample]:
    with running(peer) as server:
        values, notes = uvloop.run(_reconnect(plan.reconnecting, server))
    return [Sample(NAME, f"{plan.reconnecting} readers", peer.name, repeat, values, notes)]


async def _reconnect(count: int, server: Server) -> tuple[dict[str, float], dict[str, str]]:
    dialect = Ours()
    room = await asyncio.to_thread(world.make_room)
    poster = await connect(server.port, dialect)
    await poster.enter(room, (await asyncio.to_thread(world.tickets, 1))[0])
    links = await enter_all(server.port, dialect, room, await asyncio.to_thread(world.tickets, count))
    position = _position_of(links[0])
    with logged() as log:
        log.begin()
        await asyncio.sleep(QUIET_SECONDS)
        background = log.end()
        tickets = await asyncio.to_thread(world.tickets, count)
        await _cut_and_miss(links, poster, room)
        audience = Audience(count)
        log.begin()
        links = await asyncio.gather(*(_greeted(server.port, ticket, audience) for ticket in tickets))
        hello = log.end().beyond(background)
        log.begin()
        await asyncio.gather(*(_opened(link, room, position) for link in links))
        await _caught_up(audience, position)
        resume = log.end().beyond(background)
    position.seq += MISSED
    tickets = await asyncio.to_thread(world.tickets, count)
    await _cut_and_miss(links, poster, room)
    audience = Audience(count)
    cpu, client, begin = measure.cpu_seconds(server.pid), time.process_time(), time.perf_counter()
    links = await asyncio.gather(
        *(_resumed(server.port, ticket, audience, room, position) for ticket in tickets)
    )
    await _caught_up(audience, position)
    elapsed = time.perf_counter() - begin
    values = {
        "seconds_until_all_caught_up": elapsed,
        "hello_statements_per_socket": round(hello.total() / count, 2),
        "resume_statements": resume.total(),
        "server_microseconds_per_socket": (measure.cpu_seconds(server.pid) - cpu) / count * 1e6,
        "client_busy_share": (time.process_time() - client) / elapsed,
    }
    await close_all([poster, *links])
    return values, {"hello": repr(hello.most_common(6)), "resume": repr(resume.most_common(6))}


def _position_of(link: Link) -> Position:
    found = _POSITION.search(link.last_reply)
    if found is None:
        raise RuntimeError(f"no epoch and head in the reply to room.open: {link.last_reply!r}")
    return Position(found[1].decode(), int(found[2]))


async def _cut_and_miss(links: list[Link], poster: Link, room: int) -> None:
    """Every connection is reset; then come the messages that its reader misses."""
    no_farewell = struct.pack("ii", 1, 0)
    for link in links:
        connection = link.transport.underlying_transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_farewell)
        link.cut()
    await asyncio.gather(*(link.transport.wait_disconnected() for link in links))
    for number in range(MISSED):
        await poster.ask(FIRST_REF + number, poster.dialect.post(FIRST_REF + number, room, body(number)))


async def _greeted(port: int, ticket: str, audience: Audience) -> Link:
    link = await connect(port, Ours(), audience)
    await link.greet(ticket)
    return link


async def _opened(link: Link, room: int, position: Position) -> None:
    await link.ask(JOIN_REF, link.dialect.join(JOIN_REF, room, position.seq, position.epoch))


async def _resumed(port: int, ticket: str, audience: Audience, room: int, position: Position) -> Link:
    link = await _greeted(port, ticket, audience)
    await _opened(link, room, position)
    return link


async def _caught_up(audience: Audience, position: Position) -> None:
    """Every reader has what it missed, beginning where it stopped."""
    deadline = time.perf_counter() + ANSWER_SECONDS
    while sum(audience.counts) < MISSED * audience.size and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    audience.check(MISSED)
    if seq_of(audience.events[0]) != position.seq + 1:
        raise WrongDelivery(f"after {position.seq} came {seq_of(audience.events[0])}")
