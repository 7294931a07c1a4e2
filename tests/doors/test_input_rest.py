"""Every text that REST takes is kept clean or refused, in bodies and addresses; the table misses none."""

import json
from dataclasses import dataclass

import pytest
from rest_framework import serializers

from api import inputs, moderation_inputs
from api.webhooks import views as webhook_views
from chat.actions.members import join_room
from chat.models import Report
from tests.cast import cast, person
from tests.rest import Caller
from tests.texts import (
    BIDI,
    BODY,
    CODE,
    CONTROLS,
    DECOMPOSED,
    LINE,
    NAME,
    TOWER,
    UNSEEN,
    WORDS,
    hold,
    note_of,
)

pytestmark = pytest.mark.usefixtures("committed_db", "no_limits", "fresh_rules")


@dataclass
class World:
    """A room, callers of it, and things that the doors below change."""

    room: int
    bob: Caller
    alice: Caller
    olga: Caller
    users: dict[str, int]


@pytest.fixture
def world(committed_db):
    people = cast()
    users = {name: getattr(people, name).pk for name in ("bob", "dave", "carol")}
    return World(people.room.pk, Caller(people.bob), Caller(people.alice), Caller(people.olga), users)


def ask(caller, method, path, body, kept):
    answer = caller.ask(method, path, json.dumps(body))
    return answer.status_code, kept(answer) if answer.status_code < 300 else answer.content


def field(name):
    return lambda answer: answer.json()[name]


def said(world):
    return world.bob.ask("POST", f"rooms/{world.room}/messages", {"body": "x"}).json()["id"]


def reported(kind):
    def answer_of(world, value):
        path = {"message": f"messages/{said(world)}", "user": f"users/{world.users['bob']}"}[kind]
        reporter = Caller(person("rita"))
        body = {"category": "spam", "text": value}
        return ask(
            reporter, "POST", f"{path}/report", body, lambda a: Report.objects.get(pk=a.json()["id"]).text
        )

    return answer_of


def decided(world, value):
    number = world.olga.ask("POST", f"messages/{said(world)}/report", {"category": "spam"}).json()["id"]
    body = {"outcome": "dismissed", "category": "spam", "reason": value}
    return ask(world.alice, "POST", f"moderation/reports/{number}/decide", body, note_of)


def newcomer(room):
    eve = person("eve")
    join_room(eve, room)
    return eve.pk


def sanctioned(world, value):
    user = newcomer(world.room)
    body = {"user": user, "kind": "warn", "room": world.room, "category": "spam", "reason": value}
    return ask(world.alice, "POST", "moderation/sanctions", body, note_of)


def cleaned(world, value):
    body = {"user": newcomer(world.room), "hours": 1, "room": world.room, "category": "spam", "reason": value}
    return ask(world.alice, "POST", "moderation/clean-ups", body, note_of)


def removed(world, value):
    body = {"category": "spam", "reason": value}
    return ask(world.alice, "DELETE", f"messages/{said(world)}", body, note_of)


def webhook(world, value):
    return ask(world.olga, "POST", "webhooks", {"room": world.room, "url": value}, field("url"))


def sent(caller, method, path, text, **more):
    """A door that takes the text in the field ``text`` and gives it back there."""
    return lambda world, value: ask(
        getattr(world, caller), method, path.format(room=world.room), {text: value, **more}, field(text)
    )


def asked(path, text, **more):
    """A door that compares the text with what it has."""
    return lambda world, value: ask(Caller(), "POST", path, {**more, text: value}, lambda answer: "")


REST = {
    "NewGuest.display_name": (
        NAME,
        lambda world, value: ask(
            Caller(), "POST", "guests", {"display_name": value}, lambda a: a.json()["user"]["display_name"]
        ),
    ),
    "ProfileChange.display_name": (NAME, sent("bob", "PATCH", "me", "display_name")),
    "NewRoom.name": (LINE, sent("olga", "POST", "rooms", "name")),
    "NewRoom.topic": (LINE, sent("olga", "POST", "rooms", "topic", name="A room")),
    "NewRoom.slug": (CODE, sent("olga", "POST", "rooms", "slug", name="A room")),
    "RoomChange.name": (LINE, sent("olga", "PATCH", "rooms/{room}", "name")),
    "RoomChange.topic": (LINE, sent("olga", "PATCH", "rooms/{room}", "topic")),
    "NewMessage.body": (BODY, sent("bob", "POST", "rooms/{room}/messages", "body")),
    "MessageChange.body": (
        BODY,
        lambda world, value: ask(
            world.bob, "PATCH", f"messages/{said(world)}", {"body": value}, field("body")
        ),
    ),
    "NewMember.display_name": (CODE, sent("olga", "POST", "rooms/{room}/members", "display_name")),
    "NewReport.text": (WORDS, reported("message")),
    "NewPersonReport.text": (WORDS, reported("user")),
    "Reason.reason": (WORDS, removed),
    "Decision.reason": (WORDS, decided),
    "NewSanction.reason": (WORDS, sanctioned),
    "CleanUp.reason": (WORDS, cleaned),
    "Password.username": (CODE, asked("auth/token", "username", password="x")),
    "Password.password": (CODE, asked("auth/token", "password", username="x")),
    "Refresh.refresh": (CODE, asked("auth/token/refresh", "refresh")),
    "NewWebhook.url": (CODE, webhook),
}
# Revoking an unknown token is done by not knowing it (RFC 7009, 2.2); a change of a webhook is its making.
QUIET = {"Revocation.token", "WebhookChange.url"}
# In addresses.
QUERIES = {"RoomQuery.slug", "RoomQuery.cursor", "EventQuery.epoch", "HeadsQuery.rooms"}


def kinds_of(kind):
    for each in kind.__subclasses__():
        yield each
        yield from kinds_of(each)


def test_no_text_of_rest_is_missing_from_the_table():
    assert moderation_inputs and webhook_views
    found = {
        f"{kind.__name__}.{name}"
        for kind in kinds_of(inputs.Input)
        for name, field in kind().fields.items()
        if isinstance(field, serializers.CharField) and not isinstance(field, serializers.UUIDField)
    }
    assert found == REST.keys() | QUIET | QUERIES


@pytest.mark.parametrize("name", sorted(REST))
def test_each_text_of_rest_is_kept_clean_or_refused(world, name):
    sort, door = REST[name]
    hold(sort, lambda value: door(world, value))


def test_texts_in_addresses_find_nothing(world):
    for value in (*CONTROLS, *BIDI, *UNSEEN, TOWER, DECOMPOSED, "'", "%", "\\", "x" * 3000):
        for path, name in (("rooms", "slug"), ("rooms", "cursor"), ("rooms/heads", "rooms")):
            answer = world.bob.client.get(f"/api/v1/{path}", {name: value})
            assert answer.status_code in {200, 400}, (path, name, ascii(value))
        answer = world.bob.client.get(f"/api/v1/rooms/{world.room}/events", {"epoch": value})
        assert answer.status_code in {200, 400, 409}
        assert world.bob.client.get("/", {"m": value}).status_code == 200
        answer = world.bob.client.post("/api/v1/auth/token/revoke", {"token": value}, "application/json")
        assert answer.status_code in {204, 400}
