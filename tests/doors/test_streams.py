"""Live streams: the same log as on sockets, resumed where the client stopped, and its bounds."""

import asyncio
import json
import uuid

import httpx
import pytest

from chat.actions.posting import post_message
from chat.actions.sanctions import sanction_person
from chat.audit import Why
from tests.cast import cast, do, member, person, session_for
from tests.oauth import App, browser_of

pytestmark = pytest.mark.usefixtures("committed_db")
WAIT_SECONDS = 10.0
WITHIN_SECONDS = 1.0
STREAMS = 1000


@pytest.fixture
def people(committed_db):
    return cast()


class Reader:
    """A client of one stream: parses what comes as the HTML standard says."""

    def __init__(self, response):
        self.response = response
        self.events, self.last_id, self.ended = [], "", False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self):
        name, data = "message", []
        try:
            async for line in self.response.aiter_lines():
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if not line:
                    if data:
                        self.events.append((name, json.loads("\n".join(data)), self.last_id))
                        self._changed.set()
                    name, data = "message", []
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    self.last_id = value
                    self._changed.set()
        except httpx.HTTPError:
            pass
        self.ended = True
        self._changed.set()

    async def until(self, found, *, seconds=WAIT_SECONDS):
        async with asyncio.timeout(seconds):
            while not (result := found(self)):
                self._changed.clear()
                await self._changed.wait()
        return result

    def log(self, room):
        return [data for name, data, _ in self.events if name == "event" and data["room"] == room]

    async def until_seq(self, room, seq):
        await self.until(lambda r: any(event["seq"] >= seq for event in r.log(room)))
        seqs = [event["seq"] for event in self.log(room)]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        return self.log(room)

    async def close(self):
        self._task.cancel()
        await self.response.aclose()


async def opened(http, server, user=None, *rooms, last=None, token=None):
    headers = {}
    if user is not None:
        headers["Cookie"] = f"session={await do(session_for, user)}"
        headers["Sec-Fetch-Site"] = "same-origin"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if last is not None:
        headers["Last-Event-ID"] = last
    query = "&".join(f"room={room}" for room in rooms)
    request = http.build_request("GET", f"{server.url}/api/v1/stream?{query}", headers=headers)
    response = await http.send(request, stream=True)
    if response.status_code != 200:
        await response.aread()
        return response
    assert response.headers["content-type"].startswith("text/event-stream")
    return Reader(response)


@pytest.fixture
async def http():
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=20, limits=limits) as client:
        yield client


def say(people, body="hello", user=None):
    author = user or people.olga
    return post_message(author, people.room.pk, client_id=uuid.uuid4(), body=body).seq


async def test_a_stream_and_a_socket_read_the_same_log(server, http, people):
    room = people.room.pk
    stream = await opened(http, server, people.bob, room)
    socket = await member(server.socket_url, people.dave, room)
    last = [await do(say, people, f"message {n}") for n in range(20)][-1]
    events = await socket.until_seq(room, last)
    assert await stream.until_seq(room, last) == events
    await stream.close()


async def test_a_stream_resumes_where_the_client_stopped(server, http, people):
    room = people.room.pk
    stream = await opened(http, server, people.bob, room)
    await stream.until(lambda r: r.last_id)
    await do(say, people, "heard")
    await stream.until(lambda r: r.log(room))
    stopped = stream.last_id
    await stream.close()
    missed = [await do(say, people, f"missed {n}") for n in range(3)]
    again = await opened(http, server, people.bob, room, last=stopped)
    events = await again.until_seq(room, missed[-1])
    assert [event["seq"] for event in events] == missed
    await again.close()


async def test_one_cursor_stands_for_all_rooms_of_a_stream(server, http):
    here, there = await do(cast), await do(cast)
    rooms = (here.room.pk, there.room.pk)
    stream = await opened(http, server, here.bob, *rooms)
    first, second = await do(say, here), await do(say, there)
    await stream.until_seq(rooms[0], first)
    await stream.until_seq(rooms[1], second)
    stopped = stream.last_id
    await stream.close()
    later = {rooms[0]: await do(say, here, "later"), rooms[1]: await do(say, there, "later")}
    again = await opened(http, server, here.bob, *rooms, last=stopped)
    for room, seq in later.items():
        assert [event["seq"] for event in await again.until_seq(room, seq)] == [seq]
    await again.close()


async def test_a_position_that_cannot_be_served_is_told_to_load_again(server, http, people):
    room = people.room.pk
    stream = await opened(http, server, people.bob, room, last=f"0123456789abcdef.{room}.1")
    name, data, _ = await stream.until(lambda r: r.events and r.events[0])
    assert (name, data["room"]) == ("resync", room)
    await stream.close()


BAD = [
    ("", 400, "invalid"),
    ("room=x", 400, "invalid"),
    ("room=1&token=secret", 400, "invalid"),
    ("room=99999999999999999999", 400, "invalid"),
    ("&".join(f"room={n}" for n in range(1, 52)), 400, "invalid"),
    ("room=900000000", 404, "not_found"),
]


@pytest.mark.parametrize(("query", "status", "code"), BAD, ids=str)
async def test_a_wrong_request_is_a_problem_and_not_a_stream(server, http, query, status, code):
    answer = await http.get(f"{server.url}/api/v1/stream?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "cursor", ["x", "a.b.c", "e.1", "e.1.2.3", "e.1.-2", "é.1.2", "e." + "1.2." * 2000 + "1.2"]
)
async def test_a_made_up_cursor_is_refused(server, http, people, cursor):
    answer = await opened(http, server, people.bob, people.room.pk, last=cursor.encode("utf-8"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


async def test_a_cookie_counts_on_a_stream_for_pages_of_ours_alone(server, http):
    people = await do(cast, kind="private")
    room = people.room.pk
    assert (await opened(http, server, None, room, token="nonsense")).status_code == 401
    cookies = {"session": await do(session_for, people.bob)}
    own = {"Sec-Fetch-Site": "same-origin"}
    url = f"{server.url}/api/v1/stream?room={room}"
    async with httpx.AsyncClient(cookies=cookies, timeout=20) as browser:
        async with browser.stream("GET", url, headers=own) as answer:
            assert answer.status_code == 200
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert (await browser.get(url, headers=foreign)).status_code == 404


async def test_an_application_needs_both_scopes(server, http, people):
    app = await do(App)
    for scopes, status in (("messages:read", 403), ("realtime", 403)):
        token = (await do(app.tokens_for, people.bob, scope=scopes))["access_token"]
        assert (await opened(http, server, None, people.room.pk, token=token)).status_code == status
    token = (await do(app.tokens_for, people.bob, scope="messages:read realtime"))["access_token"]
    await (await opened(http, server, None, people.room.pk, token=token)).close()


async def test_who_is_banned_loses_the_room_and_who_is_revoked_the_stream(server, http, people):
    room = people.room.pk
    stream = await opened(http, server, people.bob, room)
    await do(sanction_person, people.alice, people.bob.pk, kind="ban", room_id=room, why=Why("spam"))

    def lost(reader):
        return [data for name, data, _ in reader.events if name == "room.closed"]

    (data,) = await stream.until(lost, seconds=WITHIN_SECONDS)
    assert data["code"] == "banned"
    await stream.until(lambda r: "notification" in [name for name, _, _ in r.events], seconds=WITHIN_SECONDS)
    await do(say, people, "not for bob")
    app = await do(App)
    held = await do(app.tokens_for, people.dave, scope="messages:read realtime")
    other = await opened(http, server, None, room, token=held["access_token"])
    form = {"token": held["access_token"], "client_id": app.id, "client_secret": app.secret}
    assert (await http.post(f"{server.url}/o/revoke/", data=form)).status_code == 200
    await other.until(lambda r: r.ended, seconds=WITHIN_SECONDS)
    assert other.events[-1][0] == "bye" and other.events[-1][1]["code"] == 4504
    assert "not for bob" not in str(stream.events)
    await stream.close()


@pytest.mark.parametrize("shown", ["code", "refresh_token"])
async def test_what_is_shown_again_ends_the_streams_of_its_family(server, http, people, shown):
    app = await do(App)
    browser = await do(browser_of, people.dave)
    code = (await do(app.allow, browser, scope="messages:read realtime"))["code"]
    tokens = (await do(app.redeem, code)).json()
    again = (await do(app.refresh, tokens["refresh_token"])).json()
    stream = await opened(http, server, None, people.room.pk, token=again["access_token"])
    if shown == "code":
        refused = await do(app.redeem, code)
    else:
        refused = await do(app.refresh, tokens["refresh_token"])
    assert refused.status_code == 400
    await stream.until(lambda r: r.ended, seconds=WITHIN_SECONDS)
    assert stream.events[-1][0] == "bye" and stream.events[-1][1]["code"] == 4504
    await stream.close()


@pytest.mark.own_server
async def test_a_thousand_streams_live_on_one_process(start_server, http, people):
    server = start_server(NO_LIMITS="1")
    room = people.room.pk
    streams = []
    for _ in range(STREAMS // 50):
        streams += await asyncio.gather(*(opened(http, server, None, room) for _ in range(50)))
    last = [await do(say, people, f"to all {n}") for n in range(5)][-1]
    logs = await asyncio.gather(*(stream.until_seq(room, last) for stream in streams))
    assert all(log == logs[0] for log in logs) and len(logs[0]) == 5
    status, _ = await do(server.get, "/healthz")
    assert status == 200
    assert (await do(server.get, f"/api/v1/rooms/{room}"))[0] == 200
    for stream in streams:
        await stream.close()


@pytest.mark.own_server
async def test_a_stream_says_goodbye_when_the_server_stops(start_server, http, people):
    server = start_server()
    stream = await opened(http, server, people.bob, people.room.pk)
    stopping = asyncio.create_task(do(server.stop))
    await stream.until(lambda r: r.ended)
    assert stream.events[-1][0] == "bye" and stream.events[-1][1]["code"] == 4001
    assert await stopping == 0


async def test_a_person_has_so_many_connections_and_no_more(server, http):
    people = await do(cast)
    greedy = await do(person, "greedy")
    streams = [await opened(http, server, greedy, people.room.pk) for _ in range(33)]
    assert streams[-1].status_code == 429
    for stream in streams[:-1]:
        await stream.close()
