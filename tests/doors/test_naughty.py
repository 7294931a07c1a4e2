"""The Big List of Naughty Strings through every door: kept as it was sent, in NFC, or refused; never a fault.

Source: github.com/minimaxir/big-list-of-naughty-strings, as tests/node has it. Each string is sent as a
message, is held against the rule of each sort of field, and goes through one of the other doors in turn.
"""

import json
import unicodedata
import uuid
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.names import clean_display_name
from accounts.tokens import issue_pair
from chat.models import Message, Report
from chat.text.render import clean_body, render
from chatproject.errors import AppError, Code
from chatproject.lines import clean_line, plain_line
from tests.cast import Refused, cast, do, member, person
from tests.scenes import browser_of, employ

pytestmark = pytest.mark.usefixtures("committed_db", "no_limits")
LIST = Path(__file__).resolve().parent.parent / "node/node_modules/big-list-of-naughty-strings/blns.json"
AT_ONCE = 50
NAUGHTY = sorted(set(json.loads(LIST.read_text(encoding="utf-8"))))


class Api:
    """REST as a client without any care uses it."""

    def __init__(self, user):
        self.client = Client(HTTP_AUTHORIZATION=f"Bearer {issue_pair(user).access}")

    def __call__(self, method, path, **body):
        answer = self.client.generic(method, f"/api/v1/{path}", json.dumps(body), "application/json")
        assert answer.status_code < 300 or answer.status_code in {400, 409}, (path, body, answer.content)
        return answer.json() if answer.status_code < 300 else None

    def find(self, path, **query):
        """Answers a page, or says that this is no such parameter."""
        answer = self.client.get(f"/api/v1/{path}", query)
        assert answer.status_code in {200, 400}, (path, query)


def in_nfc(text):
    return unicodedata.normalize("NFC", text)


def kept_by(clean, text):
    """How ``clean`` keeps ``text``; None where it refuses."""
    try:
        return clean(text)
    except AppError as refusal:
        assert refusal.code == Code.INVALID and refusal.fields
        return None


def test_the_list_is_the_whole_one():
    assert len(NAUGHTY) > 450
    assert {"undefined", "../../../../../../../../../../../etc/passwd%00", "田中さんにあげて下さい"} < set(
        NAUGHTY
    )


def test_each_rule_keeps_or_refuses_them():
    bodies = lines = names = 0
    for text in NAUGHTY:
        body = kept_by(clean_body, text)
        assert body in {None, in_nfc(text).strip()}
        assert body is None or "<script" not in render(body).lower()
        line = kept_by(lambda raw: clean_line(raw, field="name"), text)
        assert line in {None, " ".join(in_nfc(text).split())}
        name = kept_by(clean_display_name, text)
        assert name in {None, " ".join(in_nfc(text).split())}
        words = plain_line(text)
        assert words == plain_line(words) == in_nfc(words)
        bodies, lines, names = bodies + bool(body), lines + bool(line), names + bool(name)
    assert bodies > 440 and lines > 420 and names > 150


async def test_messages_keep_them(server, committed_db):
    room = (await do(cast)).room.pk
    kept, last = {}, 0
    # Nobody may say all of it at once.
    for start in range(0, len(NAUGHTY), AT_ONCE):
        client = await member(server.socket_url, await do(person, "noor"), room)
        for text in NAUGHTY[start : start + AT_ONCE]:
            try:
                answer = await client.post(room, text)
            except Refused as refused:
                assert refused.code == Code.INVALID, ascii(text)
                assert kept_by(clean_body, text) is None
            else:
                kept[answer["message"]] = in_nfc(text).strip()
                last = answer["seq"]
        shown = {message["id"]: message["body"] for message in posted(await client.until_seq(room, last))}
        assert shown and shown.items() <= kept.items()
        await client.close()
    stored = await do(lambda: dict(Message.objects.filter(pk__in=kept).values_list("pk", "body")))
    assert stored == kept


def posted(events):
    return [event["data"]["message"] for event in events if event["kind"] == "message.posted"]


def test_every_other_door_keeps_or_refuses_them():
    people = cast()
    room, desk = people.room.pk, browser_of(employ(root=True))
    bob, olga = Api(people.bob), Api(people.olga)

    def say(text):
        answer = bob("POST", f"rooms/{room}/messages", body=text)
        assert answer is None or answer["body"] == in_nfc(text).strip()

    def rename(text):
        answer = olga("PATCH", f"rooms/{room}", name=text)
        assert answer is None or answer["name"] == " ".join(in_nfc(text).split())

    def retopic(text):
        answer = olga("PATCH", f"rooms/{room}", topic=text)
        assert answer is None or answer["topic"] == " ".join(in_nfc(text).split())

    def call(text):
        answer = bob("PATCH", "me", display_name=text)
        assert answer is None or answer["display_name"] == " ".join(in_nfc(text).split())

    def report(text):
        path = f"users/{people.alice.pk}/report"
        answer = bob("POST", path, category="spam", text=text, client_id=str(uuid.uuid4()))
        if answer is not None:
            made = Report.objects.get(pk=answer["id"])
            assert made.text == plain_line(text)
            made.delete()

    def look_up(text):
        bob.find("rooms", slug=text)
        bob.find("rooms", cursor=text)
        bob.find(f"rooms/{room}/members", cursor=text)

    def search(text):
        assert desk.get(reverse("admin:chat_room_changelist"), {"q": text}).status_code == 200, ascii(text)

    doors = (say, rename, retopic, call, report, look_up, search)
    for number, text in enumerate(NAUGHTY):
        doors[number % len(doors)](text)
