"""The harness is shown to fail: a server with a promise taken out is found out by the checker."""

import asyncio
import time
import uuid

import psycopg
import pytest

from chat.actions.sanctions import sanction_person
from tests import services
from tests.cast import cast, do
from tests.faults.harness.world import Unsettled, World

pytestmark = [pytest.mark.timeout(120), pytest.mark.quick]
ENTRY = "tests.faults.harness.entry"


@pytest.fixture
def broken(committed_db, start_server, valkey):
    """``async with broken("name") as world``: one server without that promise, and one like it."""

    async def start(name, *, servers=2):
        people = await do(cast)
        options = {"REDIS_URL": valkey.url, "NO_LIMITS": "1", "module": (ENTRY, name)}
        started = [await asyncio.to_thread(start_server, **options) for _ in range(servers)]
        return World(f"without {name}", people, started, valkey)

    return start


@pytest.fixture
def no_unique_client_id(committed_db):
    """The database would not let a second row in, whatever the code does."""
    name, table = "message_client_id", "chat_message"
    with psycopg.connect(services.os.environ["DATABASE_URL"], autocommit=True) as connection:
        (made_by,) = connection.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
        ).fetchone()
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        # Of what was there twice one stays; its event is no longer of interest to anybody.
        connection.execute(
            f"DELETE FROM chat_roomevent WHERE message_id IN (SELECT a.id FROM {table} a JOIN {table} b"
            " USING (room_id, author_id, client_id) WHERE a.id > b.id)"
        )
        connection.execute(
            f"DELETE FROM {table} a USING {table} b WHERE a.id > b.id AND a.room_id = b.room_id"
            " AND a.author_id = b.author_id AND a.client_id = b.client_id"
        )
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made_by}")


async def test_without_deduplication_messages_are_there_twice(broken, no_unique_client_id):
    async with await broken("dedupe", servers=1) as world:
        proxy, members = await world.through(world.servers[0], 4)
        world.talk(members, every=0.05)
        for _ in range(4):
            await lose_acknowledgements(world, proxy)
        await world.settle()
        verdict = await world.judge()
    assert verdict.dup, verdict


async def lose_acknowledgements(world, proxy):
    proxy.deaf = True
    await world.pass_time(0.5)
    proxy.cut()
    proxy.deaf = False
    await world.pass_time(1.5)


async def test_without_the_gap_check_clients_are_sent_a_log_with_holes(broken):
    async with await broken("gap_check") as world:
        here, there = ([server.socket_url] for server in world.servers)
        (sender,) = await world.join(1, doors=here)
        await world.join(4, doors=there)
        sender.say("rung")
        await world.in_sync()
        await asyncio.to_thread(world.valkey.stop)
        for number in range(3):
            sender.say(f"nobody rings {number}")
        await sender.until(lambda: not sender.waiting, seconds=10)
        (neighbour,) = await world.join(1, doors=there)
        neighbour.say("taken beside the holes")
        await neighbour.until(lambda: not neighbour.waiting, seconds=10)
        await world.settle()
        verdict = await world.judge()
    assert any("gap" in text for text in verdict.disorder), verdict


async def test_without_healing_what_no_bell_told_is_never_shown(broken):
    async with await broken("healing") as world:
        here, there = ([server.socket_url] for server in world.servers)
        (sender,) = await world.join(1, doors=here)
        await world.join(3, doors=there)
        await asyncio.to_thread(world.valkey.stop)
        sender.say("nobody rings")
        with pytest.raises(Unsettled):
            await world.settle(seconds=6)
        verdict = await world.judge()
    assert verdict.lost and not verdict.dup, verdict


async def test_an_acknowledgement_before_the_commit_is_found_out(broken):
    async with await broken("commit", servers=1) as world:
        (sender,) = await world.join(1)
        for number in range(9):
            sender.say(f"{sender.name}/{number}")
        await sender.until(lambda: not sender.waiting, seconds=10)
        verdict = await world.judge()
    assert any("/7" in text for text in verdict.lost), verdict


async def test_without_asking_again_the_banned_go_on_reading(broken):
    async with await broken("revocation", servers=1) as world:
        olga, _, bob = await world.join(3)
        await do(sanction_person, world.people.alice, world.people.bob.pk, kind="ban", room_id=world.room)
        bob.screen.barred_at, bob.screen.bound = time.monotonic(), 0.0
        for number in range(3):
            olga.say(f"not for bob {number}")
        await olga.until(lambda: not olga.waiting, seconds=10)
        await world.in_sync()
        verdict = await world.judge()
    assert any("after its end" in text for text in verdict.disorder), verdict


async def test_the_checker_has_nothing_to_say_about_a_whole_server(scene):
    async with scene("quiet") as world:
        world.talk(await world.join(5))
        await world.pass_time(1)
        for member in world.members:
            member.say(f"{member.name}/again", uuid.uuid4())
