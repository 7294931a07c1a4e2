"""Webhooks: in order, at least once, signed, and out of this network."""

import json
import os
import socket
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest
from django.test import override_settings
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.actions.applications import suspend_application
from api.models import Webhook, WebhookDelivery
from api.webhooks import actions, delivering, guard
from chat import log
from chat.actions.members import leave_room
from chat.actions.messages import delete_message, edit_message
from chat.actions.posting import post_message
from chat.models import Room
from chatproject.database import clock
from chatproject.errors import AppError, Code
from tests.cast import cast
from tests.oauth import App, bearer
from tests.receiver import Receiver
from tests.rest import Caller, refused
from tests.services import ROOT, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")
LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture(autouse=True)
def trusting():
    with override_settings(WEBHOOK_TRUSTED_NETWORKS=LOOPBACK):
        yield


@pytest.fixture
def people(committed_db):
    return cast()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def say(people, body="hello"):
    return post_message(people.olga, people.room.pk, client_id=uuid.uuid4(), body=body)


def hook(people, receiver, **more):
    webhook, _ = actions.create_webhook(people.bob, room_id=people.room.pk, url=receiver.url, **more)
    return webhook


def jobs_of(webhook):
    from procrastinate.contrib.django.models import ProcrastinateJob

    return ProcrastinateJob.objects.filter(lock=f"webhook:{webhook.pk}", status="todo")


def test_what_happens_in_the_room_is_sent_in_order_and_can_be_verified(people, receiver):
    say(people, "before")
    webhook = hook(people, receiver)
    posted = say(people, "one").message_id
    edit_message(people.olga, posted, body="two")
    delete_message(people.olga, posted)
    delivering.deliver(webhook.pk)
    events = [body["data"] for body in receiver.bodies()]
    assert [event["kind"] for event in events] == ["message.posted", "message.edited", "message.deleted"]
    assert events == [
        json.loads(json.dumps(delivering.msgspec.to_builtins(event.payload)))
        for event in log.read_after(people.room.pk, events[0]["seq"] - 1, 10)
    ]
    for request, event in zip(receiver.requests, events, strict=True):
        Verifier(webhook.secret).verify(request["body"], request["headers"])
        assert request["headers"]["webhook-id"] == f"{webhook.epoch}.{people.room.pk}.{event['seq']}"
    with pytest.raises(WebhookVerificationError):
        Verifier(actions._new_secret()).verify(receiver.requests[0]["body"], receiver.requests[0]["headers"])
    delivering.deliver(webhook.pk)
    assert len(receiver.requests) == 3


def test_the_job_is_enqueued_with_the_event_and_only_where_somebody_listens(people, receiver):
    webhook = hook(people, receiver)
    assert not jobs_of(webhook).exists()
    say(people)
    assert jobs_of(webhook).count() == 1
    with pytest.raises(AppError):
        post_message(people.carol, people.room.pk, client_id=uuid.uuid4(), body="muted")
    assert jobs_of(webhook).count() == 1
    actions.remove_webhook(people.bob, webhook.pk)
    assert Room.objects.get(pk=people.room.pk).is_watched is False
    say(people)
    assert jobs_of(webhook).count() == 1


def test_a_failure_holds_back_what_follows_and_is_tried_again(people, receiver):
    receiver.answers = lambda number: 500 if number == 1 else 200
    webhook = hook(people, receiver)
    first, second = say(people, "first"), say(people, "second")
    delivering.deliver(webhook.pk)
    webhook.refresh_from_db()
    assert (len(receiver.requests), webhook.failures, webhook.seq) == (1, 1, first.seq - 1)
    assert webhook.next_try_at > clock()
    assert jobs_of(webhook).filter(scheduled_at__gt=clock()).count() == 1
    delivering.deliver(webhook.pk)
    assert len(receiver.requests) == 1
    Webhook.objects.filter(pk=webhook.pk).update(next_try_at=clock() - timedelta(seconds=1))
    delivering.deliver(webhook.pk)
    assert [body["data"]["seq"] for body in receiver.bodies()] == [first.seq, first.seq, second.seq]
    assert receiver.requests[0]["headers"]["webhook-id"] == receiver.requests[1]["headers"]["webhook-id"]
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.next_try_at, webhook.seq) == (0, None, second.seq)


def test_after_a_day_of_failures_it_is_paused_and_goes_on_where_it_stopped(people, receiver):
    receiver.answers = lambda number: 503
    webhook = hook(people, receiver)
    waiting = say(people)
    assert 23 * 3600 < sum(delivering.RETRY_SECONDS) < 26 * 3600
    for _ in range(len(delivering.RETRY_SECONDS) + 1):
        Webhook.objects.filter(pk=webhook.pk).update(next_try_at=None)
        delivering.deliver(webhook.pk)
    webhook.refresh_from_db()
    assert webhook.paused_at is not None
    tries = len(receiver.requests)
    delivering.deliver(webhook.pk)
    assert len(receiver.requests) == tries
    receiver.answers = lambda number: 200
    actions.change_webhook(people.bob, webhook.pk, paused=False)
    delivering.deliver(webhook.pk)
    assert receiver.bodies()[-1]["data"]["seq"] == waiting.seq


def test_only_the_kinds_that_were_asked_for_are_sent(people, receiver):
    webhook = hook(people, receiver, kinds=["message.deleted"])
    delete_message(people.olga, say(people).message_id)
    delivering.deliver(webhook.pk)
    assert [body["type"] for body in receiver.bodies()] == ["message.deleted"]


def test_after_a_rotation_both_secrets_sign_for_a_day(people, receiver):
    webhook = hook(people, receiver)
    before = webhook.secret
    after = actions.rotate_secret(people.bob, webhook.pk).secret
    say(people)
    delivering.deliver(webhook.pk)
    request = receiver.requests[0]
    for secret in (before, after):
        Verifier(secret).verify(request["body"], request["headers"])
    Webhook.objects.filter(pk=webhook.pk).update(previous_until=clock())
    say(people)
    delivering.deliver(webhook.pk)
    assert len(receiver.requests[1]["headers"]["webhook-signature"].split()) == 1


def test_who_loses_the_room_loses_the_webhook(receiver):
    people = cast(kind="private")
    webhook = hook(people, receiver)
    leave_room(people.bob, people.room.pk)
    say(people, "not for bob")
    delivering.deliver(webhook.pk)
    webhook.refresh_from_db()
    assert (receiver.requests, webhook.paused_at is not None) == ([], True)


def test_a_suspended_application_sends_nothing(people, receiver):
    app = App()
    webhook = hook(people, receiver, application_id=app.row.pk)
    suspend_application(app.row)
    say(people)
    delivering.deliver(webhook.pk)
    assert receiver.requests == []


def test_the_log_of_deliveries_tells_what_was_sent_and_what_came_back(people, receiver):
    receiver.answers = lambda number: 418
    caller = Caller(people.bob)
    body = {"room": people.room.pk, "url": receiver.url, "client_id": str(uuid.uuid4())}
    made = caller.ask("POST", "webhooks", body)
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    again = caller.ask("POST", "webhooks", body)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    path = f"webhooks/{made.json()['id']}"
    tested = caller.ask("POST", f"{path}/test").json()
    assert (tested["kind"], tested["status"], tested["answer"]) == ("webhook.test", 418, "ok")
    say(people)
    delivering.deliver(made.json()["id"])
    receiver.answers = lambda number: 200
    newest = caller.get(f"{path}/deliveries?limit=1").json()
    assert newest["results"][0]["kind"] == "message.posted" and newest["next"]
    again = caller.ask("POST", f"{path}/deliveries/{newest['results'][0]['id']}/repeat").json()
    assert (again["event"], again["status"]) == (newest["results"][0]["event"], 200)
    assert receiver.requests[-1]["body"] == receiver.requests[-2]["body"]
    assert "secret" in made.json() and caller.get(path).json()["secret"] is None
    assert caller.get("webhooks").json()["results"][0]["failures"] == 1
    changed = caller.ask("PATCH", path, {"kinds": ["message.posted"], "paused": True}).json()
    assert changed["kinds"] == ["message.posted"] and changed["paused_at"]
    rotated = caller.ask("POST", f"{path}/secret").json()["secret"]
    assert rotated != made.json()["secret"]
    assert caller.ask("DELETE", path).status_code == 204
    assert not WebhookDelivery.objects.filter(webhook_id=made.json()["id"]).exists()


def test_a_webhook_belongs_to_the_application_that_made_it(people, receiver):
    app = App(scopes="webhooks:write")
    body = {"room": people.room.pk, "url": receiver.url}
    token = app.tokens_for(people.bob, scope="webhooks:write")["access_token"]
    assert Caller().ask("POST", "webhooks", body, **bearer(token)).status_code == 201
    assert Webhook.objects.get(owner=people.bob).application_id == app.row.pk


BAD = [
    ({"url": "ftp://example.org/"}, "url"),
    ({"url": "https://user@example.org/"}, "url"),
    ({"url": "https://example.org/#x"}, "url"),
    ({"url": "https:///x"}, "url"),
    ({"url": "https://example.org:99999/"}, "url"),
    ({"url": f"https://example.org/{'x' * 500}"}, "url"),
    ({"url": "https://exämple.org/"}, "url"),
    ({"url": "https://example.org/\n"}, "url"),
    ({"kinds": ["message.invented"]}, "kinds"),
    ({"kinds": "message.posted"}, "kinds"),
    ({"room": 0}, "room"),
    ({"more": 1}, "more"),
]


@pytest.mark.parametrize(("changed", "field"), BAD, ids=str)
def test_bad_input_is_refused(people, changed, field):
    body = {"room": people.room.pk, "url": "https://example.org/hook", **changed}
    refused(Caller(people.bob).ask("POST", "webhooks", body), 400, "invalid", field)


# --- Where it may lead ---

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_name_leads_into_this_network(monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    entry = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: [entry])
    with override_settings(WEBHOOK_TRUSTED_NETWORKS=[]), pytest.raises(guard.Blocked):
        guard.resolve("https://innocent.example/hook")


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    entries = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: entries)
    with override_settings(WEBHOOK_TRUSTED_NETWORKS=[]):
        with pytest.raises(guard.Blocked):
            guard.resolve("https://innocent.example/hook")
        monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: entries[:1])
        found = guard.resolve("https://innocent.example:8443/hook?x=1")
    assert found.url == "https://93.184.216.34:8443/hook?x=1"
    assert (found.host, found.server_name) == ("innocent.example:8443", "innocent.example")


def test_http_is_for_trusted_networks_alone():
    with override_settings(WEBHOOK_TRUSTED_NETWORKS=[]), pytest.raises(AppError) as refused_:
        guard.check_url("http://example.org/hook")
    assert refused_.value.code is Code.INVALID


def test_the_name_is_asked_for_once_and_the_judged_address_is_called(people, receiver, monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def once(host, port, *args, **kwargs):
        if host == "hooks.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    webhook = hook(people, receiver)
    Webhook.objects.filter(pk=webhook.pk).update(url=receiver.url.replace("127.0.0.1", "hooks.example"))
    assert actions.send_test(people.bob, webhook.pk).status == 200
    assert asked == ["hooks.example"]
    assert receiver.requests[0]["headers"]["Host"].startswith("hooks.example:")


def test_every_redirect_is_judged_again(people, receiver):
    receiver.answers = lambda number: (307, {"Location": "http://10.0.0.1/inside"})
    webhook = hook(people, receiver)
    told = actions.send_test(people.bob, webhook.pk)
    assert (told.status, told.error) == (None, "The name leads into a private network.")
    receiver.answers = lambda number: (307, {"Location": receiver.url})
    assert actions.send_test(people.bob, webhook.pk).error == "Too many redirects."
    receiver.answers = lambda number: (307, {"Location": "/there"}) if number % 2 == 0 else 200
    receiver.requests.clear()
    receiver.answers = lambda number: (308, {"Location": "/there"}) if number == 1 else 200
    assert actions.send_test(people.bob, webhook.pk).status == 200
    assert [request["path"] for request in receiver.requests] == ["/hook", "/there"]
    receiver.answers = lambda number: (302, {"Location": "http://10.0.0.1/"})
    assert actions.send_test(people.bob, webhook.pk).status == 302


def test_a_server_that_is_away_is_told_as_that(people, receiver):
    webhook = hook(people, receiver)
    receiver.close()
    told = actions.send_test(people.bob, webhook.pk)
    assert (told.status, told.error) == (None, "ConnectError")


# --- The worker ---


def worker(**environment):
    env = {**os.environ, "WEBHOOK_TRUSTED_NETWORKS": "127.0.0.0/8", **environment}
    return subprocess.Popen([sys.executable, "manage.py", "work"], cwd=ROOT, env=env)


def test_a_worker_sends_at_once_and_none_is_lost_when_it_dies(people, receiver):
    webhook = hook(people, receiver)
    first = worker()
    try:
        say(people, "at once")
        assert wait_for(lambda: len(receiver.requests) == 1, seconds=20)
    finally:
        first.kill()
        first.wait()
    seqs = [say(people, f"while it was dead {n}").seq for n in range(3)]
    second = worker()
    try:
        assert wait_for(lambda: len(receiver.requests) >= 4, seconds=40)
    finally:
        second.terminate()
        assert second.wait(timeout=30) == 0
    assert [body["data"]["seq"] for body in receiver.bodies()][-3:] == seqs
    webhook.refresh_from_db()
    assert webhook.seq == seqs[-1]
