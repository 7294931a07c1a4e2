"""The promise across processes and through faults: two servers, Redis gone, a locked room, idle sockets."""

import asyncio
import contextlib
import socket
import time
import uuid

import psycopg
import pytest
import redis
from django.core.management import call_command

from accounts.actions.revocation import end_credential
from accounts.credentials import SESSION, Credential
from chat.actions.members import remove_member
from tests import services
from tests.cast import Refused, cast, connect, do, enter, member, session_for

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db):
    return cast()


@pytest.fixture
def two_servers(start_server, valkey):
    return [start_server(REDIS_URL=valkey.url) for _ in range(2)]


async def test_a_message_through_one_process_reaches_sockets_of_the_other(two_servers, people):
    room = people.room.pk
    here, there = two_servers
    bob = await member(here.socket_url, people.bob, room)
    alice = await member(there.socket_url, people.alice, room)
    reply = await bob.post(room, "across")
    # Far below the heal's interval: it was the bell.
    await alice.until_seq(room, reply["seq"], seconds=1)


async def test_with_redis_stopped_everything_goes_on_and_with_redis_back_it_is_immediate(
    two_servers, people, valkey
):
    room = people.room.pk
    here, there = two_servers
    bob = await member(here.socket_url, people.bob, room)
    alice = await member(there.socket_url, people.alice, room)
    valkey.stop()
    for number in range(5):
        reply = await bob.post(room, f"without redis {number}")
        await bob.until_seq(room, reply["seq"], seconds=1)
    await alice.until_seq(room, reply["seq"], seconds=3)
    newcomer = await member(there.socket_url, people.alice, room)
    assert await newcomer.ask("ping") == {}
    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url) as client:
        joined = lambda: len(client.pubsub_channels("*group*room*")) > 0  # noqa: E731
        assert await asyncio.to_thread(services.wait_for, joined, seconds=5)
    async with asyncio.timeout(5):
        await bell_is_back(bob, alice, room)
    assert bob.closed is None and alice.closed is None


async def bell_is_back(sender, reader, room):
    """Until a message crosses at once; the layer's members join one after the other."""
    while True:
        reply = await sender.post(room, "is it back?")
        try:
            await reader.until_seq(room, reply["seq"], seconds=0.3)
        except TimeoutError:
            continue
        return


async def test_a_wiped_redis_is_healed(two_servers, people, valkey):
    room = people.room.pk
    here, there = two_servers
    bob = await member(here.socket_url, people.bob, room)
    alice = await member(there.socket_url, people.alice, room)
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    reply = await bob.post(room, "after the flood")
    await alice.until_seq(room, reply["seq"], seconds=3)


async def test_without_redis_a_sign_out_still_ends_the_socket(two_servers, people, valkey):
    session = await do(session_for, people.bob)
    bob = await enter(two_servers[0].socket_url, session, people.room.pk)
    valkey.stop()
    await do(end_credential, Credential(SESSION, session, people.bob.pk, people.bob.epoch))
    assert await bob.until_closed(seconds=12) == 4504


async def test_without_redis_a_removal_still_closes_the_room(two_servers, committed_db, valkey):
    people = await do(cast, kind="private")
    room = people.room.pk
    bob = await member(two_servers[0].socket_url, people.bob, room)
    alice = await member(two_servers[1].socket_url, people.alice, room)
    valkey.stop()
    await do(remove_member, people.alice, room, people.bob.pk)
    reply = await alice.post(room, "without bob")
    await bob.until(lambda c: any(f["type"] == "room.closed" for f in c.frames), seconds=12)
    await alice.until_seq(room, reply["seq"], seconds=3)
    assert bob.events(room) == []


async def test_a_socket_idle_for_longer_than_redis_time_outs_still_hears(two_servers, people):
    room = people.room.pk
    bob = await member(two_servers[0].socket_url, people.bob, room)
    alice = await member(two_servers[1].socket_url, people.alice, room)
    deadline = time.monotonic() + 10
    # Silence is what is tested: redis-py's default time-out would have ended the bell after five seconds.
    heads = await alice.until(
        lambda c: [f for f in c.frames if f["type"] == "heads" and time.monotonic() > deadline], seconds=32
    )
    assert heads[-1]["rooms"] == {str(room): people.room.last_seq}
    reply = await bob.post(room, "good morning")
    await alice.until_seq(room, reply["seq"], seconds=1)


async def test_a_locked_room_delays_neither_other_rooms_nor_pings(server, people):
    other = await do(cast)
    bob = await member(server.socket_url, people.bob, people.room.pk)
    dave = await member(server.socket_url, other.bob, other.room.pk)
    with psycopg.connect(services.os.environ["DATABASE_URL"]) as locker:
        locker.execute("SELECT 1 FROM chat_room WHERE id = %s FOR UPDATE", [people.room.pk])
        waiting = await bob.send("message.post", room=people.room.pk, body="x", client_id=str(uuid.uuid4()))
        # Both come long before the lock's own time-out of 2 s answers the waiting one.
        async with asyncio.timeout(1.5):
            assert await bob.ask("ping") == {}
            assert (await dave.post(other.room.pk, "elsewhere"))["seq"]
        with pytest.raises(Refused) as refused:
            await bob.reply(waiting, seconds=8)
        assert (refused.value.code, refused.value.error["retry"]) == ("unavailable", True)
        locker.rollback()
    assert (await bob.post(people.room.pk, "free again"))["seq"]


async def test_a_room_of_500_sockets_costs_redis_one_push_a_process(start_server, people, valkey):
    room = people.room.pk
    sockets = 500
    two_servers = [start_server(REDIS_URL=valkey.url, NO_LIMITS="1") for _ in range(2)]
    visitors = await asyncio.gather(
        *(enter(two_servers[n % 2].socket_url, None, room) for n in range(sockets))
    )
    bob = await member(two_servers[0].socket_url, people.bob, room)
    with redis.Redis.from_url(valkey.url) as client:
        before = rings(client)
        reply = await bob.post(room, "to all")
        for visitor in visitors:
            await visitor.until_seq(room, reply["seq"])
        assert rings(client) - before == 1
        ((_, processes),) = client.pubsub_numsub(client.pubsub_channels(f"*room.{room}")[0])
        assert processes == 2


def rings(client):
    """Messages published so far; Redis pushes each to those who have joined its group."""
    return client.info("commandstats").get("cmdstat_publish", {}).get("calls", 0)


async def test_a_reader_who_resumes_on_another_process_gets_the_rest_from_the_log(two_servers, people):
    room = people.room.pk
    bob = await member(two_servers[0].socket_url, people.bob, room)
    opened = await bob.ask("room.open", room=room)
    for number in range(30):
        reply = await bob.post(room, str(number))
    alice = await enter(two_servers[1].socket_url, await do(session_for, people.alice))
    answer = await alice.ask("room.open", room=room, after=opened["head"], epoch=opened["epoch"])
    assert (answer["resync"], answer["head"]) == (False, reply["seq"])
    events = await alice.until_seq(room, reply["seq"])
    assert [event["data"]["message"]["body"] for event in events] == [str(n) for n in range(30)]


async def test_a_new_epoch_tells_every_socket_to_load_again(start_server, people):
    """The epoch is one for the whole database: sockets of other tests would be told too."""
    room = people.room.pk
    server = start_server()
    bob = await member(server.socket_url, people.bob, room)
    before = (await bob.ask("room.open", room=room))["epoch"]
    await do(call_command, "new_epoch")
    told = await bob.until(lambda c: next((f for f in c.frames if f["type"] == "resync"), None), seconds=5)
    assert told["room"] == room and told["epoch"] != before
    again = await bob.ask("room.open", room=room, after=0, epoch=before)
    assert again["resync"] and again["epoch"] == told["epoch"]


@pytest.mark.own_server
async def test_a_reader_that_does_not_read_is_dropped_and_the_others_get_everything(start_server, people):
    room = people.room.pk
    server = start_server(NO_LIMITS="1", METRICS_TOKEN="letmelook")
    bob = await member(server.socket_url, people.bob, room)
    alice = await member(server.socket_url, people.alice, room)
    deaf = await a_socket_that_stops_reading(server, room)
    head = (await bob.ask("room.open", room=room))["head"]
    sent = 0
    async with asyncio.timeout(60):
        while not (dropped := await asyncio.to_thread(slow_readers, server)):
            await asyncio.gather(*(bob.post(room, "x" * 4000) for _ in range(32)))
            sent += 32
    assert dropped == 1
    await alice.until_seq(room, head + sent, seconds=30)
    # Not only told: cut, with what waited for it.
    assert await asyncio.to_thread(is_cut, deaf)


async def a_socket_that_stops_reading(server, room):
    """Its buffer is small, so that the server notices soon."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.to_thread(sock.connect, server.address)
    client = await connect(server.socket_url, sock=sock.dup())
    await client.ask("hello")
    await client.ask("room.open", room=room)
    client.connection.transport.pause_reading()
    return sock


def is_cut(sock):
    """Reads what had arrived; whether an end comes after it."""
    sock.settimeout(10)
    with sock, contextlib.suppress(ConnectionResetError):
        while sock.recv(1 << 20):
            pass
    return True


def slow_readers(server):
    """How many the server says it has dropped."""
    _, text = server.get("/metrics", headers={"Authorization": "Bearer letmelook"})
    line = next(line for line in text.splitlines() if line.startswith("slow_readers_total"))
    return float(line.split()[1])
