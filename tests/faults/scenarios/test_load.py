"""Clients that mean harm, or do not read, or send everything three times: the others notice nothing."""

import asyncio
import os
import socket
import statistics
import sys
import time
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
import redis

from tests.cast import connect, do, session_for
from tests.faults.harness.flood import KINDS
from tests.services import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.own_server]
DROP_SECONDS = 8.0
MAX_BYTES_A_SOCKET = 2 * 1024 * 1024
FLOOD_SECONDS = 4
FLOOD_ROUNDS = 3
SERVER_CORE, FLOOD_CORE = "0", "1"


# --- not reading -----------------------------------------------------------------------------------------


async def test_those_who_never_read_but_keep_sending_are_dropped(scene):
    deaf_count = 20
    async with scene("never-reads", servers=1) as world:
        server = world.servers[0]
        world.talk(await world.join(4))
        (pid,) = server.serving_pids()
        session = await do(session_for, world.people.dave)
        deaf = [await never_reads(server, session, world.room) for _ in range(deaf_count)]
        before, begun = resident(pid), time.monotonic()
        sending = [asyncio.create_task(keep_sending(one, world.room)) for one, _ in deaf]
        peak = before
        while not all(task.done() for task in sending):
            await world.pass_time(0.25)
            peak = max(peak, resident(pid))
        ends = [await task for task in sending]
        world.extra["dropped"] = f"{max(ends) - begun:.1f}s"
        world.extra["memory"] = f"{(peak - before) / deaf_count / 1024:.0f}KiB/socket"
        assert max(ends) - begun <= DROP_SECONDS
        assert peak - before <= deaf_count * MAX_BYTES_A_SOCKET
        for one, _ in deaf:
            one._task.cancel()
        world.recovered = await world.in_sync()


async def never_reads(server, session, room):
    """A client with a small buffer that has stopped reading."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.to_thread(sock.connect, server.address)
    client = await connect(server.socket_url, session, sock=sock)
    await client.ask("hello")
    await client.ask("room.open", room=room)
    client.connection.transport.pause_reading()
    return client, sock


async def keep_sending(client, room):
    """Sends until the line is cut; when that was. What it sends, it and the others like it would be sent."""
    async with asyncio.timeout(60):
        try:
            while True:
                await client.send("message.post", room=room, client_id=str(uuid4()), body="x" * 4000)
                await asyncio.sleep(0.1)
        except Exception:
            return time.monotonic()


def resident(pid):
    """Bytes of memory that the process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- floods ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_does_not_reach_the_others(scene, kind):
    """On cores of their own: what is measured is what the server does, not who gets the processor. Calm and
    flood take turns, and the medians are compared, for the machine may have other work."""
    async with scene(f"flood-{kind}", servers=1, limits=True) as world:
        server = world.servers[0]
        for pid in server.serving_pids():
            os.sched_setaffinity(pid, {int(SERVER_CORE)})
        members = [member for member in await world.join(5) if not member.name.startswith("gil")]
        world.talk(members, every=0.6)
        session = await do(session_for, world.people.gil)
        calm, during, told = [], [], []
        for _ in range(FLOOD_ROUNDS):
            since = time.monotonic()
            await world.pass_time(FLOOD_SECONDS)
            calm.append(percentile(world, since))
            since = time.monotonic()
            told.append(await flood(server, kind, session, world))
            during.append(percentile(world, since))
        world.recovered = await world.in_sync()
        before, after = statistics.median(calm), statistics.median(during)
        world.extra |= {"calm-p99": f"{before * 1e3:.0f}ms", "flood-p99": f"{after * 1e3:.0f}ms"}
        world.extra["flood"] = ",".join(told)
        assert after <= max(2 * before, 0.1)


def percentile(world, since):
    """The 99th hundredth of the times from sending to the answer, of what was sent since."""
    times = [send.acked_at - send.invoked_at for send in world.ledger.acknowledged if send.invoked_at > since]
    return statistics.quantiles(times, n=100)[98]


async def flood(server, kind, session, world):
    """Floods; what the flooder says of it."""
    host, port = server.address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.harness.flood", kind, host, str(port), str(world.room)),
        *(str(FLOOD_SECONDS), FLOOD_CORE),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(f"{session}\n".encode()), FLOOD_SECONDS + 20)
    sent, thrown_out = output.decode().split()
    return f"{int(sent) // 1024}KiB/{thrown_out}x-out"


# --- everything three times ------------------------------------------------------------------------------


@pytest.mark.quick
async def test_every_message_is_sent_three_times_at_once_over_socket_and_rest(scene):
    async with scene("three-times-at-once") as world:
        first, second = await twins(world)
        await world.join(6)
        here, there = world.servers
        key = await do(session_for, world.people.olga)
        csrf = "x" * 32
        async with httpx.AsyncClient(
            cookies={"session": key, "csrf": csrf}, trust_env=False, timeout=20
        ) as http:
            for number in range(60):
                client_id, body = uuid4(), f"thrice/{number}"
                send = first.say(body, client_id)
                send.author = "olga"
                second.repeat(send)
                url = f"{(here, there)[number % 2].url}/api/v1/rooms/{world.room}/messages"
                headers = {"X-CSRFToken": csrf, "Origin": (here, there)[number % 2].url}
                answer = await http.post(
                    url, json={"client_id": str(client_id), "body": body}, headers=headers
                )
                assert answer.status_code in {200, 201}, answer.text
                world.ledger.acknowledge(send, answer.json())
                for twin in (first, second):
                    assert await twin.until(lambda twin=twin: not twin.waiting, seconds=10)


async def twins(world):
    """Two clients of one person, one at each server."""
    made = []
    for server in world.servers:
        made += await world.join(1, doors=[server.socket_url])
    return made


# --- coming and going ------------------------------------------------------------------------------------

CHURN = "churn"
CHURN_SECONDS = float(os.environ.get("CHURN_SECONDS", "600"))


@pytest.mark.timeout(900)
async def test_coming_and_going_leaves_nothing_behind(scene, valkey):
    """After a fifth of the time everything has been used once; from then on nothing may grow."""
    async with scene(CHURN, servers=1, PGAPPNAME=CHURN) as world:
        server = world.servers[0]
        world.talk(await world.join(3))
        (pid,) = server.serving_pids()
        proxy, members = await world.through(server, 40)
        world.talk(members[:5], every=0.5)
        samples, begun, cuts = [], time.monotonic(), 0
        with redis.Redis.from_url(valkey.url) as client:
            while (passed := time.monotonic() - begun) < CHURN_SECONDS:
                cuts += proxy.cut()
                await world.pass_time(0.5)
                if passed > CHURN_SECONDS / 5:
                    samples.append(await asyncio.to_thread(usage, pid, client))
        world.recovered = await world.in_sync()
        memory, files, connections, keys = (list(column) for column in zip(*samples, strict=True))
        third = len(samples) // 3
        early, late = (statistics.median_low(part) for part in (memory[:third], memory[-third:]))
        world.extra |= {
            "reconnects": str(cuts),
            "memory": f"{early >> 20}→{late >> 20}MiB",
            "files": f"{min(files)}–{max(files)}",
            "db": str(max(connections)),
            "redis-keys": str(max(keys)),
        }
        assert late <= early * 1.05 + (4 << 20)
        assert max(connections) <= 16
        assert max(keys[-third:]) <= max(keys[:third]) + 5


def usage(pid, redis_client):
    """Memory in bytes, open files, database connections of the server, and keys in Redis."""
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (connections,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [CHURN]
        ).fetchone()
    return resident(pid), files, connections, redis_client.dbsize()
