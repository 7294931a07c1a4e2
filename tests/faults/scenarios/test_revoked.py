"""Who is put out of a busy room is shown nothing more of it once the bound has passed."""

import asyncio
import time

import pytest

from chat.actions.sanctions import sanction_person
from tests.cast import do

pytestmark = pytest.mark.timeout(180)
WITH_REDIS, WITHOUT_REDIS = 1.0, 12.0


@pytest.mark.quick
async def test_with_redis(scene):
    async with scene("put-out") as world:
        await put_out(world, bound=WITH_REDIS)


async def test_without_redis(scene, valkey):
    async with scene("put-out-without-redis") as world:
        await asyncio.to_thread(valkey.stop)
        await put_out(world, bound=WITHOUT_REDIS)


async def put_out(world, *, bound):
    """Two people, each with clients at both servers, in the middle of everyone's talk."""
    world.talk(await world.join(10))
    await world.join(10)
    await world.pass_time(1)
    for who, kind in (("dave", "ban"), ("bob", "kick")):
        gone = [member for member in world.members if member.name.startswith(who)]
        user = getattr(world.people, who)
        await do(sanction_person, world.people.alice, user.pk, kind=kind, room_id=world.room)
        for member in gone:
            member.screen.barred_at, member.screen.bound = time.monotonic(), bound
        for member in gone:
            assert await member.until(lambda member=member: member.barred == "banned", seconds=bound + 1)
    await world.pass_time(2)
    await world.hush()
    world.recovered = await world.in_sync()
    for member in world.members:
        assert await member.until(lambda member=member: not member.waiting, seconds=10)
    refused = {send.refused for send in world.ledger.sends.values()}
    assert refused == {None, "banned"}
