"""Nothing is without a limit, and nothing without a permission: every URL of the site and every command."""

import re
import uuid
from typing import get_args

import msgspec
import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, resolve

from api.door import Door
from chat.realtime.protocol import AnyCommand
from chatproject import limits
from chatproject.limits import COMMANDS_PER_PERSON, SENDS_PER_PERSON, SOCKETS_PER_PERSON
from tests.cast import Refused, cast, connect, do, member, session_for, use_up

pytestmark = pytest.mark.usefixtures("committed_db")
# A URL for each route that is a pattern; a new one is missing here until somebody looks at it.
EXAMPLES = {
    "api/v1/": "api/v1/nothing/of/ours",
    "admin/(?P<url>.*)$": "admin/nothing/of/ours",
    "admin/^(?P<app_label>procrastinate|accounts|chat|auth)/$": "admin/chat/",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "accounts/password/reset/key/1-a/",
}
# What a visitor without a name may look at; rooms as far as they are open to guests. For REST that stands in
# tests/matrix.py.
OPEN = {
    "",
    "healthz",
    "readyz",
    "api/v1/docs",
    ".well-known/oauth-authorization-server",
    "accounts/login/",
    "accounts/signup/",
    "accounts/inactive/",
    "accounts/guest/",
    "accounts/password/changed/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/done/",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
}
# Where everybody is led on.
LEAD_ELSEWHERE = {"accounts/logout/", "admin/logout/"}


def walk(patterns, prefix=""):
    """Every route of the resolver with its view."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def routes():
    """Each route, its view, and a URL that leads there."""
    found = []
    for route, view in walk(get_resolver().url_patterns):
        url = "/" + (EXAMPLES.get(route) or re.sub(r"<(\w+:)?\w+>", "1", route))
        assert resolve(url).func is view, f"{route} needs an example"
        found.append((route, view, url))
    assert len(found) > 150
    return found


def is_rest(view):
    return issubclass(getattr(view, "cls", object), Door)


@pytest.fixture
def nothing_left(monkeypatch):
    """Every limit is used up, whatever its key."""
    monkeypatch.setattr(limits._breaker, "may_try", lambda: False)
    monkeypatch.setattr(
        limits, "_consume_locally", lambda limit, key: limits.Allowance(limit, False, 0, 60, 60.0)
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_url_has_a_limit(nothing_left, method):
    client, open_ = Client(enforce_csrf_checks=True), set()
    for route, _, url in routes():
        answer = client.generic(method, url)
        if answer.status_code == 429:
            assert int(answer["Retry-After"]) > 0, route
        else:
            open_.add(url)
    # Whoever watches the site asks often, and must be told that it lives.
    assert open_ == {"/healthz", "/readyz"}


def test_every_url_asks_who_comes_or_is_open_to_all():
    client, seen = Client(), set()
    for route, view, url in routes():
        if is_rest(view):
            continue
        answer = client.get(url)
        if answer.status_code == 302:
            assert "/login/" in answer["Location"] or route in LEAD_ELSEWHERE, route
        elif answer.status_code not in {401, 403, 404, 405}:
            seen.add(route)
    assert seen == OPEN


# --- The socket ---

# What a command is counted as; all others are COMMANDS_PER_PERSON. Those for which there is none are bounded
# by what a socket may send at all (tests/doors/test_floods.py).
COUNTED = {
    "hello": SOCKETS_PER_PERSON,
    "message.post": SENDS_PER_PERSON,
    **dict.fromkeys(["typing", "ping", "room.close"]),
}
COMMANDS = {command.__struct_config__.tag: command for command in get_args(AnyCommand)}


def fields_of(command, **things):
    """A value for each field that the command needs."""
    known = {"body": "Hi", "seq": 1, "client_id": str(uuid.uuid4()), **things}
    needed = [
        field.name for field in msgspec.structs.fields(command) if field.required and field.name != "ref"
    ]
    return {name: known[name] for name in needed}


async def code_of(socket, name, **things):
    try:
        await socket.ask(name, **fields_of(COMMANDS[name], **things))
    except Refused as refused:
        return refused.code
    return "ok"


async def test_every_command_has_a_limit(server):
    people = await do(cast)
    room, bob = people.room.pk, people.bob
    socket = await member(server.socket_url, bob, room)
    message = (await socket.post(room, "before"))["message"]
    for limit in (COMMANDS_PER_PERSON, SENDS_PER_PERSON, SOCKETS_PER_PERSON):
        await do(use_up, limit, bob.pk)
    free = [name for name, limit in COUNTED.items() if limit is None]
    told = {}
    for name in [*free, *(COMMANDS.keys() - {"hello", *free})]:
        told[name] = await code_of(socket, name, room=room, message=message)
    late = await connect(server.socket_url, await do(session_for, bob))
    told["hello"] = await code_of(late, "hello")
    assert told == {name: "ok" if name in free else "rate_limited" for name in COMMANDS}


async def test_every_command_asks_who_comes(server):
    people = await do(cast)
    socket = await connect(server.socket_url, await do(session_for, people.bob))
    others = [name for name in COMMANDS if name != "hello"]
    told = {name: await code_of(socket, name, room=people.room.pk, message=1) for name in others}
    assert told == dict.fromkeys(others, "unauthenticated")
    foreign = await connect(
        server.socket_url, await do(session_for, people.bob), origin="https://evil.example"
    )
    assert await code_of(foreign, "hello") == "unauthenticated"
