"""``bin/bench --growth``: what grows with sockets and rooms without anyone writing; for docs/scaling.md.

Prints the CPU that an idle socket costs a second, on the server and in PostgreSQL together with the heal and
the recheck of credentials, and the time of one heal by the number of rooms that a process has open.
"""

import asyncio
import time
import uuid

import uvloop
from django.db import connection

from benchmarks import measure, world
from benchmarks.load.clients import close_all, enter_all
from benchmarks.servers import OURS, Server, running
from chat import log
from chat.models import Room

SOCKETS = 4000
TICKETS_AT_ONCE = 1000
IDLE_SECONDS = 30.0
ROOMS = (100, 1_000, 10_000, 40_000)
HEALS = 20


def main() -> None:
    world.prepare()
    with running(OURS) as server:
        uvloop.run(_idle_cost(server))
    _heal_cost()


async def _idle_cost(server: Server) -> None:
    room = await asyncio.to_thread(world.make_room)
    links = []
    for _ in range(SOCKETS // TICKETS_AT_ONCE):
        tickets = await asyncio.to_thread(world.tickets, TICKETS_AT_ONCE)
        links += await enter_all(server.port, OURS.dialect, room, tickets)
    await asyncio.sleep(2)
    before = measure.cpu_seconds(server.pid)
    await asyncio.sleep(IDLE_SECONDS)
    used = measure.cpu_seconds(server.pid) - before
    if any(link.closed for link in links):
        raise RuntimeError("idle sockets were closed by the server")
    print(f"{SOCKETS} idle sockets: {used / IDLE_SECONDS / SOCKETS * 1e6:.2f} µs of CPU a socket and second")
    await close_all(links)


def _heal_cost() -> None:
    names = [uuid.uuid4().hex for _ in range(max(ROOMS))]
    ids = [room.pk for room in Room.objects.bulk_create(Room(slug=name, name=name) for name in names)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chat_room")
    for count in ROOMS:
        waits = []
        for _ in range(HEALS):
            started = time.perf_counter()
            log.heads(ids[:count])
            waits.append(time.perf_counter() - started)
        print(f"a heal of {count:,} rooms: {measure.median(waits) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
