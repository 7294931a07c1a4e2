"""REST, asked as a client asks it: every endpoint, every kind of bad input. Who may: test_authorisation."""

import json
import uuid
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from accounts.actions.revocation import end_all_credentials
from accounts.credentials import redeem_ticket
from accounts.models import User
from accounts.names import skeleton
from accounts.tokens import issue_pair
from chat.actions.members import change_role, join_room
from chat.actions.messages import delete_message
from chat.actions.posting import post_message
from chat.actions.rooms import create_room
from chat.actions.sanctions import sanction_person
from chat.models import Membership, Message, Role, Room
from chatproject import limits
from tests.rest import Caller, refused

pytestmark = pytest.mark.usefixtures("committed_db")
PASSWORD = "correct horse battery"
PEOPLE = ("outsider", "member", "muted", "moderator", "owner", "bystander", "stranger")


def make_user(role):
    tag = uuid.uuid4().hex[:16]
    name = f"{role} {tag}"
    return User.objects.create(username=tag, display_name=name, name_skeleton=skeleton(name), password="!")


@pytest.fixture
def world(committed_db):
    return make_world()


def make_world():
    """A room open to guests and a private one; all but the outsider and the stranger belong to both."""
    users = {role: make_user(role) for role in PEOPLE}
    owner = users["owner"]
    open_room = create_room(owner, name="Open", kind="public", guest_policy="write")
    closed = create_room(owner, name="Closed", kind="private")
    found = SimpleNamespace(open=open_room.pk, closed=closed.pk, users=users)
    for room in (open_room, closed):
        roles = {
            "member": Role.MEMBER,
            "muted": Role.MEMBER,
            "bystander": Role.MEMBER,
            "moderator": Role.MODERATOR,
        }
        Membership.objects.bulk_create(
            Membership(room=room, user=users[who], role=role) for who, role in roles.items()
        )
        sanction_person(owner, users["muted"].pk, kind="mute", room_id=room.pk)
    found.message = say(users["bystander"], found.open)
    found.secret = say(users["bystander"], found.closed)
    found.gone = say(users["bystander"], found.open)
    delete_message(users["bystander"], found.gone)
    return found


def say(user, room, body="Hello"):
    return post_message(user, room, client_id=uuid.uuid4(), body=body).message_id


# --- Guests, tokens, oneself, tickets ---


def test_a_guest_gets_tokens_and_writes_with_them(world):
    name = f"Noor {uuid.uuid4().hex[:12]}"
    caller = Caller()
    made = caller.ask("POST", "guests", {"display_name": name})
    assert made.status_code == 201
    assert made.json()["user"] == {"id": made.json()["user"]["id"], "display_name": name, "is_guest": True}
    assert made.json()["expires_in"] > 0
    assert made["Cache-Control"] == "no-store"
    headers = {"HTTP_AUTHORIZATION": f"Bearer {made.json()['access']}"}
    sent = caller.ask("POST", f"rooms/{world.open}/messages", {"body": "Hi"}, **headers)
    assert (sent.status_code, sent.json()["author"]["display_name"]) == (201, name)
    taken = refused(caller.ask("POST", "guests", {"display_name": name}), 409, "conflict", "display_name")
    assert taken["fields"]["suggestion"] == [f"{name} 2"]


def test_a_password_gives_tokens_that_rotate_and_end():
    tag = uuid.uuid4().hex
    User.objects.create_user(tag, f"{tag}@example.org", PASSWORD, display_name=tag)
    caller = Caller()
    refused(caller.ask("POST", "auth/token", {"username": tag, "password": "wrong"}), 401, "unauthenticated")
    first = caller.ask("POST", "auth/token", {"username": tag, "password": PASSWORD}).json()
    assert first["user"]["display_name"] == tag
    second = caller.ask("POST", "auth/token/refresh", {"refresh": first["refresh"]}).json()
    assert set(second) == {"access", "refresh", "expires_in"}
    headers = {"HTTP_AUTHORIZATION": f"Bearer {second['access']}"}
    assert caller.ask("GET", "me", **headers).json() == first["user"]
    assert caller.ask("POST", "auth/token/revoke", {"token": second["refresh"]}).status_code == 204
    refused(caller.ask("GET", "me", **headers), 401, "unauthenticated")
    refused(caller.ask("POST", "auth/token/refresh", {"refresh": second["refresh"]}), 401, "unauthenticated")
    assert caller.ask("POST", "auth/token/revoke", {"token": "nonsense"}).status_code == 204


def test_a_stolen_refresh_token_ends_the_sign_in(world):
    caller, pair = Caller(), issue_pair(world.users["member"])
    second = caller.ask("POST", "auth/token/refresh", {"refresh": pair.refresh}).json()
    refused(caller.ask("POST", "auth/token/refresh", {"refresh": pair.refresh}), 401, "unauthenticated")
    refused(caller.ask("POST", "auth/token/refresh", {"refresh": second["refresh"]}), 401, "unauthenticated")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", "x" * 5000])
def test_a_bad_token_is_refused_where_none_would_do(world, token):
    response = Caller().ask("GET", f"rooms/{world.open}", HTTP_AUTHORIZATION=f"Bearer {token}")
    refused(response, 401, "unauthenticated")
    assert response["WWW-Authenticate"] == "Bearer"
    assert "rest-address" in response["RateLimit"]


def test_an_old_token_does_not_keep_one_from_signing_in(world):
    caller, pair = Caller(world.users["member"]), issue_pair(world.users["member"])
    end_all_credentials(world.users["member"])
    refused(caller.get("me"), 401, "unauthenticated")
    refused(caller.ask("POST", "auth/token/refresh", {"refresh": pair.refresh}), 401, "unauthenticated")
    name = f"Noor {uuid.uuid4().hex[:12]}"
    assert caller.ask("POST", "guests", {"display_name": name}).status_code == 201


def test_one_changes_ones_name(world):
    caller, name = Caller(world.users["member"]), f"New {uuid.uuid4().hex[:12]}"
    assert caller.ask("PATCH", "me", {"display_name": name}).json()["display_name"] == name
    assert caller.get("me").json() == {"id": caller.user.pk, "display_name": name, "is_guest": False}
    refused(caller.ask("PATCH", "me", {"display_name": " "}), 400, "invalid", "display_name")
    refused(caller.ask("PATCH", "me", {"display_name": "admin"}), 400, "invalid", "display_name")
    taken = world.users["outsider"].display_name
    refused(caller.ask("PATCH", "me", {"display_name": taken}), 409, "conflict", "suggestion")


def test_a_ticket_is_good_for_the_credential_it_was_made_from(world):
    answer = Caller(world.users["member"]).ask("POST", "realtime/tickets").json()
    assert answer["expires_in"] == 30
    user, credential = redeem_ticket(answer["ticket"])
    assert (user.pk, credential.kind) == (world.users["member"].pk, "jwt")


def test_a_session_cookie_counts_only_with_its_csrf_token(world):
    caller = Caller(enforce_csrf_checks=True)
    caller.client.force_login(world.users["member"])
    assert caller.get("me").json()["id"] == world.users["member"].pk
    refused(caller.ask("POST", "realtime/tickets"), 403, "forbidden")
    token = "a" * 32
    caller.client.cookies["csrf"] = token
    made = caller.ask("POST", "realtime/tickets", HTTP_X_CSRFTOKEN=token)
    assert made.status_code == 201
    assert redeem_ticket(made.json()["ticket"])[1].kind == "session"


# --- Rooms ---


def test_a_room_is_made_found_changed_and_closed(world):
    caller, slug = Caller(world.users["outsider"]), f"tea-{uuid.uuid4().hex[:12]}"
    body = {
        "name": "Tea",
        "topic": "Leaves",
        "guest_policy": "read",
        "slug": slug,
        "client_id": str(uuid.uuid4()),
    }
    made = caller.ask("POST", "rooms", body)
    assert made.status_code == 201
    room = made.json()
    assert (room["slug"], room["role"], room["head"], room["slow_mode"]) == (slug, "owner", 1, 0)
    again = caller.ask("POST", "rooms", body)
    assert (again.status_code, again.json()["id"]) == (200, room["id"])
    first = caller.get("rooms?limit=1").json()
    second = caller.get(f"rooms?limit=1&cursor={first['next']}").json()
    assert first["results"][0]["id"] == room["id"] != second["results"][0]["id"]
    refused(caller.get("rooms?cursor=2.x"), 400, "invalid", "cursor")
    refused(caller.ask("POST", "rooms", {**body, "client_id": str(uuid.uuid4())}), 409, "conflict", "slug")
    assert [one["id"] for one in caller.get(f"rooms?slug={slug}").json()["results"]] == [room["id"]]
    assert room["id"] in [one["id"] for one in caller.get("rooms").json()["results"]]
    change = {"name": "Coffee", "slow_mode": 30, "kind": "private", "archived": True}
    changed = caller.ask("PATCH", f"rooms/{room['id']}", change).json()
    assert (changed["name"], changed["slow_mode"], changed["guest_policy"]) == ("Coffee", 30, "none")
    assert changed["archived_at"].endswith("Z")
    refused(caller.ask("POST", f"rooms/{room['id']}/messages", {"body": "Hi"}), 409, "archived")
    assert caller.ask("PATCH", f"rooms/{room['id']}", {"archived": False}).json()["archived_at"] is None
    closed = caller.ask("DELETE", f"rooms/{room['id']}")
    assert (closed.status_code, closed.content) == (204, b"")
    assert caller.get(f"rooms/{room['id']}").json()["archived_at"]


def test_a_private_room_is_not_found_by_its_name_in_links(world):
    slug = Room.objects.get(pk=world.closed).slug
    assert Caller(world.users["outsider"]).get(f"rooms?slug={slug}").json() == {"results": [], "next": None}
    assert len(Caller(world.users["member"]).get(f"rooms?slug={slug}").json()["results"]) == 1


def test_a_refused_change_of_a_room_changes_nothing(world):
    before = Caller(world.users["owner"]).get(f"rooms/{world.open}").json()
    change = {"archived": True, "kind": "private", "guest_policy": "read"}
    refused(Caller(world.users["owner"]).ask("PATCH", f"rooms/{world.open}", change), 400, "invalid")
    assert Caller(world.users["owner"]).get(f"rooms/{world.open}").json() == before


def test_a_private_room_cannot_be_open_to_guests(world):
    body = {"name": "New", "kind": "private", "guest_policy": "read"}
    refused(Caller(world.users["owner"]).ask("POST", "rooms", body), 400, "invalid")


# --- Messages ---


def test_messages_come_by_page_with_the_position_to_go_on_from(world):
    caller = Caller(world.users["member"])
    for number in range(5):
        say(world.users["member"], world.open, f"number {number}")
    page = caller.get(f"rooms/{world.open}/messages?limit=3").json()
    assert [one["body"] for one in page["results"]] == ["number 2", "number 3", "number 4"]
    assert page["seq"] == page["results"][-1]["seq"] and page["epoch"]
    seq = page["results"][0]["seq"]
    assert _bodies(caller, world, f"before={seq}&limit=2") == ["number 0", "number 1"]
    assert _bodies(caller, world, f"after={seq}&limit=1") == ["number 3"]
    assert _bodies(caller, world, f"around={seq}&limit=4") == ["number 1", "number 2", "number 3", "number 4"]
    assert _bodies(caller, world, f"after={2**63 - 1}") == []
    assert len(_bodies(caller, world, f"before={2**63 - 1}")) == 7
    assert len(_bodies(caller, world, f"around={2**63 - 2}")) == 7


def _bodies(caller, world, query):
    return [one["body"] for one in caller.get(f"rooms/{world.open}/messages?{query}").json()["results"]]


def test_a_message_is_sent_edited_deleted_and_restored(world):
    caller = Caller(world.users["member"])
    body = {"body": " **Hi** ", "reply_to": world.message, "client_id": str(uuid.uuid4())}
    sent = caller.ask("POST", f"rooms/{world.open}/messages", body)
    assert sent.status_code == 201
    message = sent.json()
    assert (message["body"], message["reply_to"], message["client_id"]) == (
        "**Hi**",
        world.message,
        body["client_id"],
    )
    assert "<strong>Hi</strong>" in message["html"]
    path = f"messages/{message['id']}"
    assert caller.get(path).json() == message
    edited = caller.ask("PATCH", path, {"body": "Bye"}).json()
    assert (edited["body"], edited["seq"]) == ("Bye", message["seq"]) and edited["edited_at"]
    assert caller.ask("DELETE", path).status_code == 204
    gone = caller.get(path).json()
    assert (gone["body"], gone["html"], gone["deleted_by"]) == ("", "", "author")
    refused(caller.ask("PATCH", path, {"body": "Again"}), 409, "conflict")
    assert caller.ask("POST", f"{path}/restore").json() == edited


def test_an_author_does_not_bring_back_what_a_moderator_took(world):
    message = say(world.users["member"], world.open)
    assert Caller(world.users["moderator"]).ask("DELETE", f"messages/{message}").status_code == 204
    refused(Caller(world.users["member"]).ask("POST", f"messages/{message}/restore"), 403, "forbidden")


def test_a_repeated_send_answers_with_the_first_message(world):
    caller, client_id = Caller(world.users["member"]), str(uuid.uuid4())
    first = caller.ask("POST", f"rooms/{world.open}/messages", {"body": "One", "client_id": client_id})
    sanction_person(world.users["owner"], caller.user.pk, kind="mute", room_id=world.open)
    again = caller.ask("POST", f"rooms/{world.open}/messages", {"body": "Two", "client_id": client_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Message.objects.filter(room_id=world.open, client_id=client_id).count() == 1
    refused(caller.ask("POST", f"rooms/{world.open}/messages", {"body": "Three"}), 403, "muted")


def test_slow_mode_tells_how_long_to_wait(world):
    Room.objects.filter(pk=world.open).update(slow_mode_seconds=60)
    caller = Caller(world.users["member"])
    assert caller.ask("POST", f"rooms/{world.open}/messages", {"body": "One"}).status_code == 201
    response = caller.ask("POST", f"rooms/{world.open}/messages", {"body": "Two"})
    problem = refused(response, 429, "slow_mode")
    assert 0 < problem["retry_after"] <= 60
    assert 0 < int(response["Retry-After"]) <= 60


# --- The log ---


def test_events_are_read_to_the_head_by_position(world):
    caller, after, seen = Caller(), 0, []
    while True:
        page = caller.get(f"rooms/{world.open}/events?after={after}&limit=2").json()
        seen += page["results"]
        if not page["results"]:
            break
        after = page["next"]
    assert [event["seq"] for event in seen] == list(range(1, page["seq"] + 1))
    assert seen[0]["type"] == "event" and seen[0]["kind"] == "member.joined"
    assert caller.get(f"rooms/{world.open}/events?epoch={page['epoch']}").status_code == 200


def test_a_deleted_text_is_in_no_event(world):
    message = say(world.users["member"], world.open, "a slip of the tongue")
    delete_message(world.users["member"], message)
    assert b"slip" not in Caller().get(f"rooms/{world.open}/events").content


@pytest.mark.parametrize("query", ["epoch=another", "after=100000", "after=1"])
def test_a_position_that_cannot_be_served_is_a_conflict(world, query):
    Room.objects.filter(pk=world.open).update(first_seq=3)
    refused(Caller().get(f"rooms/{world.open}/events?{query}"), 409, "conflict")
    assert Caller().get(f"rooms/{world.open}/events?after=2").status_code == 200


# --- Members and read marks ---


def test_members_come_by_cursor(world):
    caller, cursor, seen = Caller(), 0, []
    while cursor is not None:
        page = caller.get(f"rooms/{world.open}/members?limit=2&cursor={cursor}").json()
        seen += [(one["user"]["id"], one["role"]) for one in page["results"]]
        cursor = page["next"]
    kept = Membership.objects.filter(room_id=world.open).order_by("pk")
    assert seen == list(kept.values_list("user_id", "role"))


def test_members_are_added_promoted_and_removed(world):
    owner, stranger = Caller(world.users["owner"]), world.users["stranger"]
    path = f"rooms/{world.closed}/members"
    added = owner.ask("POST", path, {"display_name": stranger.display_name})
    assert (added.status_code, added.json()["user"]["id"], added.json()["role"]) == (
        201,
        stranger.pk,
        "member",
    )
    assert added.json()["joined_at"].endswith("Z")
    assert owner.ask("PATCH", f"{path}/{stranger.pk}", {"role": "moderator"}).json()["role"] == "moderator"
    assert Caller(stranger).get(path).status_code == 200
    refused(Caller(world.users["moderator"]).ask("DELETE", f"{path}/{stranger.pk}"), 403, "forbidden")
    assert owner.ask("DELETE", f"{path}/{stranger.pk}").status_code == 204
    refused(Caller(stranger).get(path), 404, "not_found")
    refused(owner.ask("DELETE", f"{path}/{stranger.pk}"), 404, "not_found")
    refused(owner.ask("POST", path, {"display_name": "Nobody at all"}), 400, "invalid", "display_name")


def test_one_joins_and_leaves_a_public_room(world):
    outsider, path = Caller(world.users["outsider"]), f"rooms/{world.open}/members/me"
    joined = outsider.ask("PUT", path)
    assert (joined.status_code, joined.json()["role"]) == (200, "member")
    assert outsider.ask("PUT", path).json() == joined.json()
    assert outsider.ask("DELETE", path).status_code == 204
    assert outsider.get(f"rooms/{world.open}").json()["role"] is None


def test_an_owner_leaves_after_making_another_one(world):
    owner, path = Caller(world.users["owner"]), f"rooms/{world.open}/members/me"
    refused(owner.ask("DELETE", path), 409, "conflict")
    join_room(world.users["outsider"], world.open)
    change_role(owner.user, world.open, world.users["outsider"].pk, role="owner")
    assert owner.ask("DELETE", path).status_code == 204


def test_a_read_mark_never_moves_back_nor_past_the_head(world):
    caller, path = Caller(world.users["member"]), f"rooms/{world.open}/read"
    head = caller.get(f"rooms/{world.open}").json()["head"]
    assert caller.ask("PUT", path, {"seq": 2}).json() == {"read": 2}
    assert caller.ask("PUT", path, {"seq": 1}).json() == {"read": 2}
    assert caller.ask("PUT", path, {"seq": 2**63 - 1}).json() == {"read": head}


# --- Bad input ---

BAD = [
    ("POST", "guests", {}, "display_name"),
    ("POST", "guests", {"display_name": 5}, "display_name"),
    ("POST", "guests", {"display_name": "a\0b"}, "display_name"),
    ("POST", "guests", {"display_name": "Noor", "avatar": "x"}, "avatar"),
    ("POST", "auth/token", {"username": "a\0", "password": "b"}, "username"),
    ("POST", "auth/token/refresh", {"refresh": None}, "refresh"),
    ("POST", "rooms", {"name": ""}, "name"),
    ("POST", "rooms", {"name": " "}, "name"),
    ("POST", "rooms", {"name": "x" * 81}, "name"),
    ("POST", "rooms", {"name": "x", "kind": "secret"}, "kind"),
    ("POST", "rooms", {"name": "x", "kind": ["public"]}, "kind"),
    ("POST", "rooms", {"name": "x", "slug": "Not A Slug"}, "slug"),
    ("POST", "rooms", {"name": "x", "client_id": 7}, "client_id"),
    ("GET", "rooms?slug=%00", None, "slug"),
    ("GET", "rooms?page=1", None, "page"),
    ("PATCH", "rooms/{open}", {"archived": "true"}, "archived"),
    ("PATCH", "rooms/{open}", {"slow_mode": -1}, "slow_mode"),
    ("PATCH", "rooms/{open}", {"slow_mode": 6 * 60 * 60 + 1}, "slow_mode"),
    ("PATCH", "rooms/{open}", {"slow_mode": True}, "slow_mode"),
    ("PATCH", "rooms/{open}", {"slow_mode": 10**30}, "slow_mode"),
    ("PATCH", "rooms/{open}", {"name": None}, "name"),
    ("GET", "rooms/{open}/messages?limit=101", None, "limit"),
    ("GET", "rooms/{open}/messages?limit=0", None, "limit"),
    ("GET", "rooms/{open}/messages?before=x", None, "before"),
    ("GET", "rooms/{open}/messages?after=9223372036854775808", None, "after"),
    ("GET", "rooms/{open}/messages?before=3&after=1", None, None),
    ("GET", "rooms/{open}/messages?held=theirs", None, "held"),
    ("GET", "rooms/{open}?verbose=1", None, "verbose"),
    ("POST", "rooms/{open}/messages", {"client_id": "7f1c1a52-6a0e-4b8e-9d0a-0f3c5d2b9e11"}, "body"),
    ("POST", "rooms/{open}/messages", {"body": ""}, "body"),
    ("POST", "rooms/{open}/messages", {"body": " \n"}, "body"),
    ("POST", "rooms/{open}/messages", {"body": "x" * 4001}, "body"),
    ("POST", "rooms/{open}/messages", {"body": "a\0b"}, "body"),
    ("POST", "rooms/{open}/messages", {"body": 5}, "body"),
    ("POST", "rooms/{open}/messages", {"body": "x", "client_id": "x"}, "client_id"),
    ("POST", "rooms/{open}/messages", {"body": "x", "reply_to": "1"}, "reply_to"),
    ("POST", "rooms/{open}/messages", {"body": "x", "reply_to": 2**63}, "reply_to"),
    ("POST", "rooms/{open}/messages", {"body": "x", "reply_to": 2**63 - 1}, "reply_to"),
    ("POST", "rooms/{open}/messages", {"body": "x", "mentions": []}, "mentions"),
    ("GET", "rooms/{open}/events?after=-1", None, "after"),
    ("GET", "rooms/{open}/members?cursor=x", None, "cursor"),
    ("PUT", "rooms/{open}/members/me", {"role": "owner"}, "role"),
    ("PATCH", "rooms/{open}/members/{bystander}", {"role": "king"}, "role"),
    ("PUT", "rooms/{open}/read", {"seq": 1.5}, "seq"),
    ("PUT", "rooms/{open}/read", {"seq": -1}, "seq"),
    ("PATCH", "messages/{message}", {}, "body"),
    ("POST", "messages/{gone}/restore", {"body": "x"}, "body"),
    ("POST", "rooms/{open}/messages", b'{"body":', None),
    ("POST", "rooms/{open}/messages", b"", "body"),
    ("POST", "rooms/{open}/messages", b"[]", None),
    ("POST", "rooms/{open}/messages", b'"text"', None),
    ("POST", "rooms/{open}/messages", b"null", None),
    ("POST", "rooms/{open}/messages", b'{"body": "\\ud800"}', None),
    ("POST", "rooms/{open}/messages", b'{"body": "\xff"}', None),
    ("POST", "rooms/{open}/messages", b'{"body": NaN}', None),
    ("POST", "rooms/{open}/messages", b'{"body":' + b"[" * 30_000 + b"]" * 30_000 + b"}", None),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD, ids=lambda part: str(part)[:60])
def test_bad_input_is_refused_and_changes_nothing(world, method, path, body, field):
    names = {**vars(world), "bystander": world.users["bystander"].pk}
    head = Room.objects.get(pk=world.open).last_seq
    caller = Caller(world.users["owner"])
    refused(caller.ask(method, path.format(**names), body), 400, "invalid", field)
    assert Room.objects.get(pk=world.open).last_seq == head


def test_a_body_over_64_kib_is_too_large(world):
    caller, path = Caller(world.users["member"]), f"rooms/{world.open}/messages"
    fits = b'{"body": "x"}'.ljust(65_536)
    assert caller.ask("POST", path, fits).status_code == 201
    refused(caller.ask("POST", path, fits + b" "), 413, "too_large")
    refused(caller.ask("POST", path, b" " * 10_000_000), 413, "too_large")


def test_a_chunked_body_is_read_as_any_other(server):
    name = f"Noor {uuid.uuid4().hex[:12]}"
    parts = iter([b'{"display_name": ', json.dumps(name).encode(), b"}"])
    connection = HTTPConnection(*server.address, timeout=10)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/api/v1/guests", parts, headers, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["user"]["display_name"]) == (201, name)
    connection.close()


def test_only_json_is_read(world):
    caller = Caller(world.users["member"])
    response = caller.client.post(f"/api/v1/rooms/{world.open}/messages", {"body": "Hi"})
    refused(response, 415, "invalid")


@pytest.mark.parametrize("path", ["", "nothing", "rooms/", "rooms/x", "rooms/1/nothing", "schema/", "me%00"])
def test_a_path_that_is_none_of_ours_is_not_found(path):
    refused(Caller().get(path), 404, "not_found")


@pytest.mark.parametrize("number", [0, 2**63, 10**30, "9" * 5000])
def test_an_id_beyond_all_ids_is_not_found(world, number):
    caller = Caller(world.users["member"])
    for path in (
        f"rooms/{number}",
        f"rooms/{number}/messages",
        f"rooms/{number}/members",
        f"messages/{number}",
    ):
        refused(caller.get(path), 404, "not_found")
    refused(
        Caller(world.users["owner"]).ask("DELETE", f"rooms/{world.open}/members/{number}"), 404, "not_found"
    )


def test_a_method_that_is_not_there_keeps_its_status(world):
    response = Caller(world.users["member"]).ask("PUT", f"rooms/{world.open}", {})
    refused(response, 405, "invalid")
    assert response["Allow"] == "GET, PATCH, DELETE, HEAD"


def test_a_database_that_is_away_is_unavailable(world, monkeypatch):
    caller = Caller(world.users["member"])

    def away(*_):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("api.rooms.my_room", away)
    response = caller.get(f"rooms/{world.open}")
    problem = refused(response, 503, "unavailable")
    assert (problem["retry_after"], response["Retry-After"]) == (1.0, "1")


def test_an_error_of_ours_tells_nothing_of_itself(world, monkeypatch, caplog):
    caller = Caller(world.users["member"])

    def broken(*_):
        raise KeyError("a secret")

    monkeypatch.setattr("api.rooms.my_room", broken)
    response = caller.get(f"rooms/{world.open}")
    refused(response, 500, "internal")
    assert b"secret" not in response.content
    assert "a secret" in caplog.text


# --- Limits ---


def test_every_answer_tells_what_is_left(world):
    caller = Caller(world.users["member"])
    response = caller.get("me")
    assert response["RateLimit-Policy"] == '"rest-person";q=600;w=60'
    assert response["RateLimit"] == '"rest-person";r=599;t=1'
    sent = caller.ask("POST", f"rooms/{world.open}/messages", {"body": "Hi"})
    assert sent["RateLimit-Policy"] == '"rest-person";q=600;w=60, "sends-person";q=60;w=30'
    assert Caller().get("rooms")["RateLimit-Policy"] == '"rest-address";q=600;w=60'


@pytest.mark.parametrize(
    ("limit", "method", "path", "body"),
    [
        ("limiting.REST_PER_PERSON", "GET", "me", None),
        ("people.TICKETS_PER_PERSON", "POST", "realtime/tickets", None),
        ("people.NAME_CHANGES_PER_PERSON", "PATCH", "me", {"display_name": "admin"}),
        ("rooms.ROOMS_PER_PERSON", "POST", "rooms", {"name": "New"}),
        ("messages.SENDS_PER_PERSON", "POST", "rooms/{open}/messages", {"body": "Hi"}),
    ],
)
def test_a_used_up_limit_of_a_person_refuses_until_it_says(world, monkeypatch, limit, method, path, body):
    caller, small = Caller(world.users["member"]), make_small(monkeypatch, limit)
    limits.consume(small, caller.user.pk)
    check_limited(caller.ask(method, path.format(**vars(world)), body), small)
    assert Caller(world.users["moderator"]).get("me").status_code == 200


@pytest.mark.parametrize(
    ("limit", "method", "path", "body"),
    [
        ("limiting.REST_PER_ADDRESS", "GET", "rooms", None),
        ("people.GUESTS_PER_ADDRESS", "POST", "guests", {"display_name": "admin"}),
        ("people.TOKENS_PER_ADDRESS", "POST", "auth/token", {"username": "nobody", "password": "x"}),
        ("people.TOKENS_PER_ADDRESS", "POST", "auth/token/refresh", {"refresh": "x"}),
        ("people.TOKENS_PER_ADDRESS", "POST", "auth/token/revoke", {"token": "x"}),
    ],
)
def test_a_used_up_limit_of_an_address_refuses_until_it_says(monkeypatch, limit, method, path, body):
    caller, small = Caller(), make_small(monkeypatch, limit)
    limits.consume(small, caller.client.defaults["REMOTE_ADDR"])
    check_limited(caller.ask(method, path, body), small)


def make_small(monkeypatch, limit):
    """One an hour in place of a limit, which a slow machine would not use up as fast as it fills."""
    module, name = limit.split(".")
    small = limits.Limit(getattr(limits, name).name, 1, 3600)
    monkeypatch.setattr(f"api.{module}.{name}", small)
    return small


def check_limited(response, limit):
    problem = refused(response, 429, "rate_limited")
    assert problem["retry_after"] > 0
    assert int(response["Retry-After"]) >= problem["retry_after"]
    assert f'"{limit.name}";r=0;t=' in response["RateLimit"]
