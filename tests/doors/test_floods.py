"""What one client can do at most, asked of a real server by one that does not care."""

import asyncio
import json
import secrets
from http.client import HTTPConnection

import httpx
import pytest
from django.test import override_settings
from websockets.frames import Frame, Opcode

from accounts.tokens import issue_pair
from chat.models import Room
from chat.realtime.budget import BYTES_PER_SOCKET, FRAMES_PER_SOCKET
from chat.realtime.consumers import MAX_REFUSED_FRAMES
from chat.realtime.people import MAX_SOCKETS_PER_PERSON
from chat.realtime.protocol import MAX_FRAME_BYTES, Close
from chatproject.asgi import STREAM_PATH
from chatproject.limits import ROOMS_PER_PERSON, SOCKETS_PER_ADDRESS
from tests.cast import WAIT_SECONDS, Refused, cast, connect, do, enter, member, person, session_for, use_up
from tests.services import METRICS_TOKEN

pytestmark = pytest.mark.usefixtures("committed_db")
AT_ONCE, TRIES = 50, 5


def own_address():
    """An address of this machine that no other test uses up."""
    return f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.11"


def token_of(server, user):
    with override_settings(SITE_URL=server.url):
        return issue_pair(user).access


# --- HTTP ---


async def test_of_fifty_requests_at_once_exactly_as_many_pass_as_the_limit_says(server):
    for _ in range(TRIES):
        user, without_redis = await do(person, "greedy"), await do(decided_alone, server)
        headers = {"Authorization": f"Bearer {await do(token_of, server, user)}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
            calls = [http.post("/api/v1/rooms", json={"name": f"Room {n}"}) for n in range(AT_ONCE)]
            answers = [answer.status_code for answer in await asyncio.gather(*calls)]
        if await do(decided_alone, server) == without_redis:
            break  # else a busy machine was taken for a Redis that is away, and both have counted
    assert ROOMS_PER_PERSON.count == 10
    assert (answers.count(201), answers.count(429)) == (10, AT_ONCE - 10)
    assert await do(Room.objects.filter(created_by=user).count) == 10


def decided_alone(server):
    """How many limits the server has decided without Redis."""
    _, text = server.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    return next(line for line in text.splitlines() if line.startswith("limiter_fallback_total"))


def left_for(server, peer, forwarded=None):
    """How many guests may still be made, as the answer to one who is refused for the name tells."""
    connection = HTTPConnection(*server.address, timeout=10, source_address=(peer, 0))
    headers = {"Content-Type": "application/json", **({"X-Forwarded-For": forwarded} if forwarded else {})}
    connection.request("POST", "/api/v1/guests", json.dumps({"display_name": "admin"}), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 400
    (left,) = [
        part for part in answer.headers["RateLimit"].split(", ") if part.startswith('"guests-address"')
    ]
    return int(left.split(";")[1].removeprefix("r="))


def test_who_is_no_proxy_gets_no_other_limit_by_a_forged_address(server):
    peer = own_address()
    forged = [None, "198.51.100.1", "198.51.100.2, 10.0.0.1", "2001:db8::1", "127.0.0.1", "nonsense"]
    left = [left_for(server, peer, each) for each in forged]
    assert left == list(range(left[0], left[0] - len(forged), -1))


async def test_behind_a_proxy_each_client_has_a_limit_and_ipv6_by_its_network(start_server):
    """One server for all that is counted by address: a second one costs seconds."""
    server = start_server(
        TRUSTED_PROXIES="127.0.0.0/8",
        MAX_SOCKETS_PER_ADDRESS="5",
        MAX_NAMELESS_SOCKETS_PER_ADDRESS="3",
    )
    proxy, net = own_address(), f"2001:db8:{secrets.randbelow(65_000):x}"

    def left(forwarded):
        return left_for(server, proxy, forwarded)

    client = f"198.51.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
    first = await do(left, client)
    # Whatever stands before the last stranger was written by that stranger.
    assert await do(left, f"203.0.113.9, {client}") == first - 1
    assert await do(left, f"127.0.0.9, 203.0.113.9, {client}, 127.0.0.8") == first - 2
    assert await do(left, f"{net}:1::1") == first
    assert await do(left, f"{net}:1:ffff:ffff:ffff:ffff") == first - 1
    assert await do(left, f"{net}:2::1") == first
    await connections_by_address(server, f"{net}:3::1", f"{net}:3::2", f"{net}:4::1")


async def connections_by_address(server, address, same, other):
    """At most three without a name, and five in all; an IPv6 network is one address."""
    people = await do(cast)
    room = people.room.pk
    nameless = [await let_in(server, each) for each in (address, same, address)]
    assert await refused_at_the_door(server, same)
    assert await do(stream_status, server, room, same) == 429
    assert await let_in(server, other)
    await nameless[0].close()
    bob = await do(session_for, people.bob)
    mine = [await let_in(server, address, bob) for _ in range(3)]
    assert await refused_at_the_door(server, same)
    assert await do(stream_status, server, room, address) == 429
    await mine[0].close()
    assert await let_in(server, address, await do(session_for, people.alice))


async def let_in(server, address, session=None):
    """A socket that has said hello; one that has just gone may still be counted for a moment."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            socket = await connect(server.socket_url, session, forwarded=address)
            try:
                await socket.ask("hello")
            except AssertionError:  # closed
                continue
            return socket


async def refused_at_the_door(server, address):
    """How long to wait, for a connection that is one too many."""
    socket = await connect(server.socket_url, forwarded=address)
    assert await socket.until_closed() == Close.RATE
    assert socket.frames[-1]["type"] == "bye"
    return socket.frames[-1]["retry_after"]


def stream_status(server, room, address):
    return server.get(f"/api/v1/stream?room={room}", headers={"X-Forwarded-For": address})[0]


async def test_a_forged_address_opens_no_more_sockets(server):
    peer = own_address()
    await do(use_up, SOCKETS_PER_ADDRESS, peer)
    socket = await connect(server.socket_url, forwarded="198.51.100.1", local_addr=(peer, 0))
    assert await socket.until_closed() == Close.RATE
    connection = HTTPConnection(*server.address, timeout=10, source_address=(peer, 0))
    connection.request("GET", f"{STREAM_PATH}?room=1", headers={"X-Forwarded-For": "198.51.100.1"})
    assert connection.getresponse().status == 429
    connection.close()


# --- What one socket may send ---


def packet(text, times):
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True) * times


# It is read at a pace, and its budget grows meanwhile.
MORE = FRAMES_PER_SOCKET + 200
PING = '{"type":"ping","ref":"a"}'
FLOODS = {
    "frames": packet(PING, MORE),
    "frames that are refused for now": packet('{"type":"typing","ref":"a","room":1}', MORE),
    "bytes": packet(PING.ljust(MAX_FRAME_BYTES), BYTES_PER_SOCKET // MAX_FRAME_BYTES + 1),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_socket_that_sends_too_much_is_closed_and_told_when_to_come_back(server, flood):
    people = await do(cast)
    bob, other = await member(server.socket_url, people.bob), await member(server.socket_url, people.bob)
    bob.connection.transport.write(FLOODS[flood])
    assert await bob.until_closed() == Close.RATE
    assert bob.frames[-1]["type"] == "bye" and bob.frames[-1]["retry_after"] > 0
    assert await other.ask("ping") == {}


@pytest.mark.parametrize(
    "frame", ["not json", PING.ljust(MAX_FRAME_BYTES + 1)], ids=["not json", "too large"]
)
async def test_a_socket_whose_frames_cannot_be_understood_is_closed_for_good(server, frame):
    bob = await member(server.socket_url, (await do(cast)).bob)
    for _ in range(MAX_REFUSED_FRAMES - 1):
        await bob.connection.send(frame)
    assert await bob.ask("ping") == {}
    await bob.connection.send(frame)
    assert await bob.until_closed() == Close.PROTOCOL_ERROR
    assert bob.frames[-1]["type"] == "bye"


async def test_a_person_has_so_many_sockets_at_once_and_no_more(server):
    people = await do(cast)
    session = await do(session_for, people.bob)
    sockets = [await enter(server.socket_url, session) for _ in range(MAX_SOCKETS_PER_PERSON)]
    late = await connect(server.socket_url, session)
    with pytest.raises(Refused, match="rate_limited"):
        await late.ask("hello")
    assert await late.until_closed() == Close.RATE
    assert await (await member(server.socket_url, people.alice)).ask("ping") == {}
    for socket in sockets:
        await socket.close()
