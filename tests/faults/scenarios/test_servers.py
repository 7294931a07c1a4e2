"""Servers die, are replaced one after the other, and keep a wrong clock."""

import asyncio
import os
import signal
import time

import pytest

from tests.services import wait_for

pytestmark = pytest.mark.timeout(240)
KILLS = 5
SYNC_SECONDS = 5.0
EXIT_SECONDS = 10.0
RESTART = 4001


@pytest.mark.quick
async def test_one_of_two_is_killed_again_and_again(scene):
    """In turns, for its clients go to the other one meanwhile; the supervisor starts it anew."""
    async with scene("kill-9") as world:
        talking = await world.join(6)
        await world.join(10)
        world.talk(talking)
        await world.pass_time(1)
        worst = 0.0
        for turn in range(KILLS):
            (pid,) = await asyncio.to_thread(serving, world.servers[turn % 2])
            begun = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            worst = max(worst, await world.in_sync(since=begun))
            await world.pass_time(2)
        world.recovered = worst
        assert worst <= SYNC_SECONDS
        assert sum(world.ledger.closes.values()) >= KILLS


def serving(server):
    """Its one serving process, once there is one."""
    assert wait_for(lambda: len(server.serving_pids()) == 1, seconds=40)
    return server.serving_pids()


@pytest.mark.quick
async def test_a_rolling_restart_says_goodbye_and_answers_what_is_in_flight(scene, start_server, valkey):
    async with scene("rolling-sigterm", servers=3) as world:
        # Through lines that can be pointed at the next server, as a balancer does.
        lines = [await world.through(server, 6) for server in world.servers]
        members = [member for _, some in lines for member in some]
        world.talk(members)
        await world.pass_time(1)
        slowest, waits = 0.0, []
        for number, (proxy, _) in enumerate(lines):
            old = world.servers[number]
            new = await asyncio.to_thread(start_server, REDIS_URL=valkey.url, NO_LIMITS="1", SITE_URL=old.url)
            proxy.target = new.address
            begun = time.monotonic()
            assert await asyncio.to_thread(old.stop) == 0
            slowest = max(slowest, time.monotonic() - begun)
            waits.append(await world.in_sync(since=begun))
            await world.pass_time(0.5)
        world.recovered = max(waits)
        world.extra["exit"] = f"{slowest:.1f}s"
        assert slowest <= EXIT_SECONDS
        assert dict(world.ledger.closes) == {RESTART: len(members)}


async def test_two_servers_whose_clocks_are_three_minutes_apart(scene, start_server, valkey):
    async with scene("clock±90s", servers=0) as world:
        for offset in ("-90", "90"):
            made = await asyncio.to_thread(
                start_server,
                module=("tests.faults.harness.entry", "right_clock"),
                REDIS_URL=valkey.url,
                NO_LIMITS="1",
                CLOCK_OFFSET_SECONDS=offset,
            )
            world.servers.append(made)
        world.talk(await world.join(8))
        await world.pass_time(6)
        world.recovered = await world.in_sync()
        assert not world.ledger.closes and not world.ledger.refusals
