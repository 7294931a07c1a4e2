"""Who may do what, asked of everybody at REST and on the socket. What is right stands in tests/matrix.py."""

import json
import re
import secrets
import uuid
from functools import lru_cache
from http.client import HTTPConnection
from typing import get_args

import pytest
from django.db import connections
from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator

from accounts.credentials import issue_ticket
from accounts.scopes import SCOPES
from accounts.tokens import issue_pair
from api.door import UnknownPath
from api.urls import urlpatterns
from chat.actions.messages import delete_message
from chat.realtime.protocol import AnyCommand
from chatproject.asgi import STREAM_PATH
from tests import matrix
from tests.cast import Refused, connect, do
from tests.oauth import App, browser_of
from tests.place import Place, headers
from tests.receiver import Receiver
from tests.scenes import employ

API = "/api/v1/"
UNKNOWN = 9_000_000_000
# Not served by Django.
STREAM = "GET    stream"
TABLES = {
    "anywhere": ("public", matrix.ANYWHERE),
    "public": ("public", matrix.PUBLIC),
    "private": ("private", matrix.PRIVATE),
}
FRAMES = {"public": matrix.PUBLIC_FRAMES, "private": matrix.PRIVATE_FRAMES}


@pytest.fixture(scope="module")
def hook(django_db_setup, django_db_blocker):
    """The address of a server that takes what webhooks send; and passwords that are quickly checked."""
    receiver = Receiver()
    quick = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with (
        django_db_blocker.unblock(),
        override_settings(WEBHOOK_TRUSTED_NETWORKS=["127.0.0.0/8"], **quick),
    ):
        yield receiver.url
        connections.close_all()
    receiver.close()


@pytest.fixture(scope="module")
def places(hook):
    """Made once, for whatever is asked by REST is rolled back."""
    return {kind: Place(kind, hook) for kind in FRAMES}


# --- Every operation and every command is in the matrix, and nothing else ---


@lru_cache(maxsize=1)
def documented():
    """The operations of the OpenAPI document: (method, path) to what it says of each."""
    paths = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))["paths"]
    return {
        shape(method.upper(), path.removeprefix(API)): entry
        for path, methods in paths.items()
        for method, entry in methods.items()
    }


def beside():
    """What is served under /api/v1/ and is no operation of the document: the documents, and the stream."""
    views = [route for route in urlpatterns if getattr(route.callback, "cls", None) is not UnknownPath]
    paths = {re.sub(r"<int:\w+>", "{}", str(route.pattern)) for route in views}
    undocumented = paths - {path for _, path in documented()}
    return {("GET", path) for path in undocumented | {STREAM_PATH.removeprefix(API)}}


def shape(method, path):
    """An operation whatever the names of its parameters."""
    return method, re.sub(r"{\w+}", "{}", path)


def operations(*tables):
    return {shape(*matrix.operation(row)) for table in tables for row in table}


def test_every_operation_has_a_row_and_every_row_an_operation():
    assert operations(matrix.ANYWHERE, matrix.PUBLIC) == documented().keys() | beside()


def test_what_is_asked_in_a_public_room_is_asked_in_a_private_one():
    assert matrix.PUBLIC.keys() == matrix.PRIVATE.keys()


def test_what_is_sent_is_sent_with_a_row():
    assert matrix.SENT.keys() <= matrix.ANYWHERE.keys() | matrix.PUBLIC.keys()


def test_every_command_has_a_row_and_every_row_a_command():
    commands = {command.__struct_config__.tag for command in get_args(AnyCommand)}
    assert matrix.PUBLIC_FRAMES.keys() == matrix.PRIVATE_FRAMES.keys() == commands


# --- REST ---


@pytest.mark.parametrize("name", TABLES)
def test_each_operation_answers_each_caller_by_what_they_are(server, places, name):
    kind, table = TABLES[name]
    place, address = places[kind], own_address()
    told = {}
    for row in table:
        told[row] = {}
        for who in matrix.CALLERS:
            known = place.visitors[who]
            if row == STREAM:
                told[row][who] = stream_status(server, address, place, known.user)
                continue
            answer = place.ask(row, known.headers, **known.names)
            if answer.status_code >= 400:
                assert answer.json()["status"] == answer.status_code
            told[row][who] = answer.status_code
    assert deviations(table, told, int) == {}


def deviations(table, told, read):
    """Where somebody is told something else than the matrix says: {row: {caller: (expected, told)}}."""
    found = {}
    for row, cells in table.items():
        right = {who: read(cell) for who, cell in matrix.expected(cells).items()}
        wrong = {who: (right[who], told[row][who]) for who in right if told[row][who] != right[who]}
        if wrong:
            found[row] = wrong
    return found


def own_address():
    """An address of this machine that no other test uses up."""
    return f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.7"


def stream_status(server, address, place, user):
    """How a stream begins, for who shows a token of this server; of someone deactivated it is an old one."""
    shown = {}
    if user is not None:
        with override_settings(SITE_URL=server.url):
            shown["Authorization"] = f"Bearer {issue_pair(user).access}"
    connection = HTTPConnection(*server.address, timeout=10, source_address=(address, 0))
    connection.request("GET", f"{STREAM_PATH}?room={place.names['room']}", headers=shown)
    status = connection.getresponse().status
    connection.close()
    return status


def test_an_old_session_of_someone_deactivated_is_no_session(places):
    """A cookie comes along unasked, so one that has ended says nothing; a token that has ended is refused."""
    place = places["private"]
    known = place.visitors["deactivated"]
    rows = {
        row: matrix.expected(cells)["anonymous"] for row, cells in (matrix.ANYWHERE | matrix.PRIVATE).items()
    }
    told = {
        row: str(place.ask(row, headers(session=known.credential.key), **known.names).status_code)
        for row in rows.keys() - {STREAM}
    }
    assert told == {row: status for row, status in rows.items() if row != STREAM}


@pytest.mark.parametrize("kind", FRAMES)
def test_staff_without_a_permission_are_as_anybody_from_outside(places, kind):
    place = places[kind]
    plain = headers(token=issue_pair(employ()).access)
    rows = {
        row: matrix.expected(cells)["outsider"] for row, cells in TABLES[kind][1].items() if row != STREAM
    }
    assert {row: str(place.ask(row, plain).status_code) for row in rows} == rows


def test_what_is_hidden_and_what_does_not_exist_are_one_answer(places):
    """Otherwise the difference would tell an outsider what there is."""
    place = places["private"]
    unknown = {name: UNKNOWN for name in place.names if isinstance(place.names[name], int)}
    unknown["bystander"] = place.names["bystander"]
    rows = [row for row, cells in matrix.PRIVATE.items() if matrix.expected(cells)["outsider"] == "404"]
    assert len(rows) > 30
    for row in rows:
        if row != STREAM:
            outsider = place.visitors["outsider"].headers
            hidden, missing = place.ask(row, outsider), place.ask(row, outsider, **unknown)
            assert (hidden.status_code, hidden.json()) == (404, missing.json()), row


# --- OAuth scopes ---


def test_each_scope_is_needed_and_is_enough_for_what_the_person_may(places):
    place = places["public"]
    moderator = place.visitors["moderator"]
    app = App(confidential=False, scopes=" ".join(SCOPES))
    browser = browser_of(moderator.user)

    def token(*scopes):
        code = app.allow(browser, scope=" ".join(scopes))["code"]
        return headers(token=app.redeem(code, client=browser).json()["access_token"])

    only = {scope: token(scope) for scope in SCOPES}
    without = {scope: token(*(SCOPES.keys() - {scope})) for scope in SCOPES}
    everything, asked = token(*SCOPES), set()
    for row, cells in (matrix.ANYWHERE | matrix.PUBLIC).items():
        entry = documented().get(shape(*matrix.operation(row)))
        if entry is None or "security" not in entry:
            continue  # asks nobody who they are
        scope = entry.get("x-scope")
        refused = place.ask(row, without[scope] if scope else everything)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), row
        assert refused.json().get("fields") == ({"scope": [scope]} if scope else None), row
        if scope:
            assert str(place.ask(row, only[scope]).status_code) == matrix.expected(cells)["moderator"], row
            asked.add(scope)
    assert asked == SCOPES.keys()


# --- The socket ---


@pytest.mark.parametrize("kind", FRAMES)
async def test_each_command_answers_each_caller_by_what_they_are(server, hook, kind):
    place, table, address = await do(Place, kind, hook), FRAMES[kind], own_address()
    told = {row: {} for row in table}
    for who in matrix.CALLERS:
        known = place.visitors[who]
        names = await do(targets, place)
        socket = await connect(server.socket_url, local_addr=(address, 0))
        ticket = {"ticket": await do(issue_ticket, known.user, known.credential)} if known.user else {}
        told["hello"][who] = await code_of(socket, "hello", **ticket)
        if told["hello"][who] != "ok":
            socket = await connect(server.socket_url, known.credential.key, local_addr=(address, 0))
            await socket.ask("hello")
        for command in [row for row in table if row != "hello"]:
            fields = matrix.filled(matrix.FIELDS.get(command, {}), names)
            told[command][who] = await code_of(socket, command, **fields)
        await socket.close()
    assert deviations(table, told, matrix.CODES.__getitem__) == {}


def targets(place):
    """The things of the room, with messages that no other caller has changed."""
    message, gone = place.say(place.bystander), place.say(place.bystander)
    delete_message(place.bystander, gone)
    return {**place.names, "message": message, "gone": gone, "client_id": str(uuid.uuid4())}


async def code_of(socket, command, **fields):
    """``ok`` or why not."""
    try:
        await socket.ask(command, **fields)
    except Refused as refused:
        return refused.code
    return "ok"
