"""PostgreSQL restarts, a row stays locked, the pool is empty: sends are answered soon, and none is lost."""

import asyncio
import os
import signal
import tempfile
import time

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cast import cast, do
from tests.faults.harness.proxy import Proxy
from tests.faults.harness.world import Database

pytestmark = pytest.mark.timeout(240)
RESTART_ANSWER_SECONDS = 3.0
# From the moment that PostgreSQL can be reached again until the first message is written.
BACK_SECONDS = 6.0
# PostgreSQL counts its lock time-out of 2 s for each of the locks that one row takes where several wait; the
# statement's own of 5 s ends it.
LOCK_ANSWER_SECONDS = 5.5


@pytest.fixture
def database() -> Database:
    return Database()


async def crowd(world):
    talking = await world.join(6)
    await world.join(6)
    world.talk(talking)
    await world.pass_time(1)
    return talking


@pytest.mark.quick
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_restart(scene, database, how):
    name = {signal.SIGINT: "postgres-fast-restart", signal.SIGQUIT: "postgres-immediate-restart"}[how]
    async with scene(name) as world:
        await crowd(world)
        for _ in range(3):
            await database.restart(how)
            await world.pass_time(2)
        world.recovered = await world.in_sync()
        await world.hush()
        answered_soon_and_to_be_tried_again(world, world.ledger.refusals, within=RESTART_ANSWER_SECONDS)
        assert not world.ledger.closes


async def test_away_for_twenty_seconds(scene, line):
    """The longer it was away, the longer psycopg's pool would wait between two tries."""
    proxy, url = line
    async with scene("postgres-away-20s", DATABASE_URL=url) as world:
        await crowd(world)
        proxy.refusing = True
        proxy.cut()
        await world.pass_time(20)
        proxy.refusing = False
        back_at = time.monotonic()
        while not (written := [s for s in world.ledger.acknowledged if s.acked_at > back_at]):
            assert time.monotonic() - back_at <= BACK_SECONDS, "nothing is written yet"
            await world.pass_time(0.1)
        world.extra["writes-again"] = f"{min(send.acked_at for send in written) - back_at:.1f}s"
        world.recovered = await world.in_sync(since=back_at)
        await world.hush()
        answered_soon_and_to_be_tried_again(world, world.ledger.refusals, within=RESTART_ANSWER_SECONDS)
        assert not world.ledger.closes


@pytest.fixture
async def line():
    """Between the servers and PostgreSQL, and the address by which they reach it there."""
    conninfo = conninfo_to_dict(os.environ["DATABASE_URL"])
    name = f".s.PGSQL.{conninfo.get('port', 5432)}"
    with tempfile.TemporaryDirectory() as folder:  # a path of pytest's is too long for a socket
        proxy = await Proxy(f"{conninfo['host']}/{name}").start_at(f"{folder}/{name}")
        yield proxy, make_conninfo(os.environ["DATABASE_URL"], host=folder)
        await proxy.close()


def answered_soon_and_to_be_tried_again(world, refusals, *, within):
    assert {code for code, _ in refusals} == {"unavailable"}, refusals
    slowest = max(seconds for _, seconds in refusals)
    world.extra["refused"] = f"{len(refusals)}≤{slowest:.1f}s"
    assert slowest <= within
    assert all(send.refused is None for send in world.ledger.sends.values())


async def test_a_lock_on_the_room_for_ten_seconds(scene):
    async with scene("row-lock-10s") as world:
        await crowd(world)
        with await asyncio.to_thread(psycopg.connect, os.environ["DATABASE_URL"]) as locker:
            await asyncio.to_thread(
                locker.execute, "SELECT 1 FROM chat_room WHERE id = %s FOR UPDATE", [world.room]
            )
            await world.pass_time(10)
            await asyncio.to_thread(locker.rollback)
        world.recovered = await world.in_sync()
        await world.hush()
        answered_soon_and_to_be_tried_again(world, world.ledger.refusals, within=LOCK_ANSWER_SECONDS)
        assert not world.ledger.closes


@pytest.mark.quick
async def test_no_database_connection_is_free(scene):
    """Other rooms are locked, and their senders hold every thread of the pool."""
    async with scene("pool-exhausted", MAX_DATABASE_CONNECTIONS="2") as world:
        await crowd(world)
        others = [await do(cast) for _ in range(4)]
        rooms = [other.room.pk for other in others]
        with await asyncio.to_thread(psycopg.connect, os.environ["DATABASE_URL"]) as locker:
            await asyncio.to_thread(
                locker.execute, "SELECT 1 FROM chat_room WHERE id = ANY(%s) FOR UPDATE", [rooms]
            )
            blocked = [await outsiders(world, other) for other in others for _ in range(2)]
            await world.pass_time(6)
            await asyncio.to_thread(locker.rollback)
        world.recovered = await world.in_sync()
        await world.hush()
        for member in blocked:
            assert await member.until(lambda member=member: not member.waiting, seconds=20)
        refusals = [*world.ledger.refusals, *(one for member in blocked for one in member.ledger.refusals)]
        answered_soon_and_to_be_tried_again(world, refusals, within=LOCK_ANSWER_SECONDS)


async def outsiders(world, other):
    """Someone who writes in a locked room of others, with a ledger of their own."""
    from tests.cast import session_for
    from tests.faults.harness.ledger import Ledger
    from tests.faults.harness.member import Member

    doors = [server.socket_url for server in world.servers]
    member = Member(Ledger(), "outside", await do(session_for, other.bob), other.room.pk, doors).start()
    world.helpers.append(member)
    member.say("into the lock")
    return member
