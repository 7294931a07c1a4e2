"""Redis goes away, stands still, forgets everything: nothing is lost, no socket closes."""

import asyncio
import signal

import pytest
import redis

pytestmark = pytest.mark.timeout(180)
# The heal's interval, and what a busy machine adds.
OUTAGE_DELAY_SECONDS = 3.0


async def crowd(world, *, talkers=6, listeners=10):
    talking = await world.join(talkers)
    await world.join(listeners)
    world.talk(talking)
    await world.pass_time(1.5)


def no_socket_closed_and_no_message_late(world):
    assert sum(world.ledger.closes.values()) == 0, world.ledger.closes
    assert max(world.ledger.delays) <= OUTAGE_DELAY_SECONDS, max(world.ledger.delays)


@pytest.mark.quick
async def test_a_restart(scene, valkey):
    async with scene("redis-restart") as world:
        await crowd(world)
        for _ in range(3):
            await asyncio.to_thread(valkey.stop)
            await world.pass_time(0.5)
            await asyncio.to_thread(valkey.start)
            await asyncio.to_thread(valkey.wait_ready)
            await world.pass_time(1)
        world.recovered = await world.in_sync()
        await world.settle()
        no_socket_closed_and_no_message_late(world)


async def test_away_for_fifteen_seconds(scene, valkey):
    async with scene("redis-away-15s") as world:
        await crowd(world)
        await asyncio.to_thread(valkey.stop)
        await world.pass_time(15)
        await asyncio.to_thread(valkey.start)
        await asyncio.to_thread(valkey.wait_ready)
        world.recovered = await world.in_sync()
        await world.settle()
        no_socket_closed_and_no_message_late(world)


async def test_standing_still(scene, valkey):
    async with scene("redis-sigstop-10s") as world:
        await crowd(world)
        valkey.process.send_signal(signal.SIGSTOP)
        try:
            await world.pass_time(10)
        finally:
            valkey.process.send_signal(signal.SIGCONT)
        world.recovered = await world.in_sync()
        await world.settle()
        no_socket_closed_and_no_message_late(world)


@pytest.mark.quick
async def test_wiped_and_its_clients_killed(scene, valkey):
    async with scene("redis-flushall+client-kill") as world:
        await crowd(world)
        with redis.Redis.from_url(valkey.url) as client:
            for _ in range(5):
                await asyncio.to_thread(client.flushall)
                await world.pass_time(0.4)
                await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "normal")
                await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "pubsub")
                await world.pass_time(0.4)
        world.recovered = await world.in_sync()
        await world.settle()
        no_socket_closed_and_no_message_late(world)
