"""Moderation over REST: what those concerned are told, and what those of another room learn."""

import uuid

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from chat import roles
from chat.actions.holding import hold_messages
from chat.actions.members import change_role
from chat.actions.posting import post_message
from chat.actions.reports import Target, report
from chat.actions.rooms import create_room
from chat.actions.sanctions import sanction_person
from chat.audit import Why
from chat.models import HeldMessage, ModerationAction, Notice, Room, Sanction
from chatproject import limits
from chatproject.database import clock
from tests.cast import cast, person
from tests.rest import Caller, refused

pytestmark = pytest.mark.usefixtures("committed_db")


class World:
    """A room with something of everything in it, and people from inside and outside."""

    def __init__(self):
        people = cast()
        self.room = people.room.pk
        self.users = {
            name: getattr(people, name) for name in ("gil", "dave", "bob", "carol", "alice", "olga")
        }
        self.users["alien"] = self.moderator_of_another_room()
        self.users["staff"] = self.member_of_staff(roles.MODERATORS)
        self.users["helper"] = self.member_of_staff()
        self.bystander = person("eve")
        self.message = self.say(self.bystander)
        self.held = self.hold()
        reporter = person("rita")
        self.report = report(reporter, Target(message_id=self.message), why=Why("spam")).pk
        sanctioned = Sanction.objects.get(room=people.room, user=people.carol)
        self.sanction = sanctioned.pk
        self.action = ModerationAction.objects.filter(room=people.room).latest("pk").pk

    def moderator_of_another_room(self):
        owner, moderator = person("otto"), person("alien")
        room = create_room(owner, name="Elsewhere", slug=f"e-{uuid.uuid4().hex}")
        from chat.actions.members import join_room

        join_room(moderator, room.pk)
        change_role(owner, room.pk, moderator.pk, role="moderator")
        return moderator

    def member_of_staff(self, *groups):
        user = person("staff")
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.groups.set(Group.objects.filter(name__in=groups))
        return User.objects.get(pk=user.pk)

    def say(self, user, body="Hello"):
        return post_message(user, self.room, client_id=uuid.uuid4(), body=body).message_id

    def hold(self):
        held = HeldMessage(
            room_id=self.room,
            author=self.bystander,
            client_id=uuid.uuid4(),
            body="May I?",
            html="<p>May I?</p>",
            created_at=clock(),
        )
        hold_messages(Room.objects.get(pk=self.room), [held])
        return held.pk


@pytest.fixture
def world(committed_db):
    return World()


@pytest.mark.parametrize("queue", ["held", "reports", "sanctions", "actions"])
def test_a_moderator_of_one_room_learns_nothing_of_another(world, queue):
    def rooms_shown_to(who):
        rows = Caller(world.users[who]).get(f"moderation/{queue}?limit=100").json()["results"]
        return {row["room"] for row in rows}

    assert world.room in rooms_shown_to("alice")
    assert world.room not in rooms_shown_to("alien")
    assert world.room not in rooms_shown_to("bob")
    refused(Caller(world.users["alien"]).get(f"moderation/{queue}?room={world.room}"), 403, "forbidden")


def test_the_reporter_is_told_the_outcome(world):
    caller = Caller(world.users["gil"])
    body = {"category": "spam", "text": "Again and again"}
    first = caller.ask("POST", f"messages/{world.message}/report", body).json()
    assert first["state"] == "open"
    assert caller.ask("POST", f"messages/{world.message}/report", body).json() == first
    seen = Caller(world.users["alice"]).get(f"moderation/reports/{first['id']}").json()
    assert (seen["text"], seen["evidence"]["body"]) == ("Again and again", "Hello")
    decision = {"outcome": "upheld", "category": "spam"}
    path = f"moderation/reports/{first['id']}/decide"
    assert Caller(world.users["alice"]).ask("POST", path, decision).json()["outcome"] == "upheld"
    second = refused(Caller(world.users["olga"]).ask("POST", path, decision), 409, "conflict")
    assert world.users["alice"].display_name in second["detail"]
    (notice,) = caller.get("me/notices").json()["results"]
    assert (notice["kind"], notice["data"]["outcome"]) == ("report.decided", "upheld")
    caller.ask("POST", "me/notices/seen", {"up_to": notice["id"]})
    assert caller.get("me/notices").json()["results"] == []


def test_reports_are_limited():
    people = cast()
    caller, room = Caller(people.bob), people.room.pk
    messages = [
        post_message(people.olga, room, client_id=uuid.uuid4(), body=f"{n}").message_id
        for n in range(limits.REPORTS_PER_PERSON.count + 1)
    ]
    answers = [
        caller.ask("POST", f"messages/{message}/report", {"category": "spam"}).status_code
        for message in messages
    ]
    assert answers == [201] * limits.REPORTS_PER_PERSON.count + [429]


def test_a_mute_tells_its_reason_and_its_end_wherever_one_writes(world):
    caller = Caller(world.users["bob"])
    body = {
        "user": caller.user.pk,
        "kind": "mute",
        "room": world.room,
        "minutes": 10,
        "category": "spam",
        "reason": "twice today",
    }
    made = Caller(world.users["alice"]).ask("POST", "moderation/sanctions", body).json()
    assert made["reason"] == "Spam or advertising: twice today"
    told = refused(caller.ask("POST", f"rooms/{world.room}/messages", {"body": "Hi"}), 403, "muted", "reason")
    assert told["fields"]["reason"] == [made["reason"]]
    assert 0 < told["retry_after"] <= 600
    room = caller.get(f"rooms/{world.room}").json()
    assert room["restriction"] == {"kind": "mute", "reason": made["reason"], "ends_at": made["ends_at"]}
    assert room["rights"] == []
    assert Notice.objects.get(user=caller.user).data["reason"] == made["reason"]
    Caller(world.users["alice"]).ask("DELETE", f"moderation/sanctions/{made['id']}", {})
    assert caller.get(f"rooms/{world.room}").json()["rights"] == ["write"]
    again = Caller(world.users["alice"]).ask("DELETE", f"moderation/sanctions/{made['id']}", {})
    refused(again, 409, "conflict")


def test_what_is_sent_again_is_done_once_and_answers_200(world):
    caller = Caller(world.users["alice"])
    for path, what in (("moderation/sanctions", {"kind": "mute"}), ("moderation/clean-ups", {"hours": 1})):
        body = {"user": world.bystander.pk, "room": world.room, "client_id": str(uuid.uuid4())} | what
        answers = [caller.ask("POST", path, body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[0].json() == answers[1].json()
    body = {"category": "spam", "client_id": str(uuid.uuid4())}
    sent = [caller.ask("POST", f"rooms/{world.room}/report", body) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201] and sent[0].json() == sent[1].json()


def test_a_ban_hides_the_room_and_says_why(world):
    caller = Caller(world.users["bob"])
    sanction_person(world.users["alice"], caller.user.pk, kind="ban", room_id=world.room, why=Why("hate"))
    for path in (f"rooms/{world.room}", f"rooms/{world.room}/messages", f"rooms/{world.room}/events"):
        assert refused(caller.get(path), 403, "banned", "reason")["fields"]["reason"] == ["Hate"]
    refused(caller.ask("POST", f"rooms/{world.room}/messages", {"body": "Hi"}), 403, "banned", "reason")
    refused(caller.ask("PUT", f"rooms/{world.room}/members/me"), 403, "banned", "reason")
    assert world.room not in [room["id"] for room in caller.get("rooms").json()["results"]]


def test_a_guest_who_waits_for_approval_sees_their_message_and_nobody_else_does():
    people = cast(guest_policy="approval")
    guest, room = Caller(people.gil), people.room.pk
    body = {"body": "May I?", "client_id": str(uuid.uuid4())}
    waits = guest.ask("POST", f"rooms/{room}/messages", body)
    assert (waits.status_code, waits.json()["state"], waits.json()["why"]) == (202, "waiting", "policy")
    assert guest.ask("POST", f"rooms/{room}/messages", body).json()["id"] == waits.json()["id"]
    mine = f"rooms/{room}/messages?held=mine"
    assert [held["body"] for held in guest.get(mine).json()["results"]] == ["May I?"]
    assert Caller(people.bob).get(mine).json()["results"] == []
    assert guest.get(f"rooms/{room}/messages").json()["results"] == []
    path = f"moderation/held/{waits.json()['id']}/approve"
    assert Caller(people.alice).ask("POST", path, {}).json()["state"] == "approved"
    refused(Caller(people.olga).ask("POST", path, {}), 409, "conflict")
    (message,) = guest.get(f"rooms/{room}/messages").json()["results"]
    assert message["client_id"] == body["client_id"]
    replayed = guest.ask("POST", f"rooms/{room}/messages", body)
    assert (replayed.status_code, replayed.json()["id"]) == (200, message["id"])


BAD = [
    ("messages/{message}/report", {"category": "boring"}, "category"),
    ("messages/{message}/report", {}, "category"),
    ("messages/{message}/report", {"category": "spam", "text": "x" * 501}, "text"),
    ("messages/{message}/report", {"category": "spam", "text": "a\0b"}, "text"),
    ("moderation/sanctions", {"user": 1, "kind": "flog"}, "kind"),
    ("moderation/sanctions", {"user": 1, "kind": "mute", "minutes": -5}, "minutes"),
    ("moderation/sanctions", {"user": 1, "kind": "mute", "minutes": 10**9}, "minutes"),
    ("moderation/sanctions", {"kind": "mute"}, "user"),
    ("moderation/sanctions", {"user": 1, "kind": "mute", "client_id": 7}, "client_id"),
    ("moderation/clean-ups", {"user": 1, "hours": 1, "client_id": "7"}, "client_id"),
    ("messages/{message}/report", {"category": "spam", "client_id": ""}, "client_id"),
    ("moderation/reports/{report}/decide", {"outcome": "maybe"}, "outcome"),
    ("moderation/clean-ups", {"user": 1, "hours": 0}, "hours"),
    ("me/notices/seen", {"up_to": "all"}, "up_to"),
]


@pytest.mark.parametrize(("path", "body", "field"), BAD, ids=str)
def test_bad_input_is_refused(world, path, body, field):
    answer = Caller(world.users["staff"]).ask("POST", path.format(**vars(world)), body)
    refused(answer, 400, "invalid", field)


def test_nobody_sanctions_themself_or_who_stands_as_high(world):
    def sanction(who, whom):
        body = {"user": world.users[whom].pk, "kind": "mute", "room": world.room}
        return Caller(world.users[who]).ask("POST", "moderation/sanctions", body).status_code

    assert sanction("alice", "alice") == 403
    assert sanction("alice", "olga") == 403
    assert sanction("olga", "alice") == 201
    assert sanction("olga", "staff") == 404  # who never was in the room, however high they stand
    assert sanction("staff", "helper") == 403


def test_an_action_is_taken_back_once(world):
    caller = Caller(world.users["alice"])
    caller.ask("DELETE", f"messages/{world.message}", {"category": "spam"})
    newest = caller.get(f"moderation/actions?room={world.room}&limit=1").json()["results"][0]
    assert (newest["kind"], newest["target"]) == ("message.deleted", f"message:{world.message}")
    undone = caller.ask("POST", f"moderation/actions/{newest['id']}/undo", {"reason": "by mistake"}).json()
    assert (undone["undoes"], undone["reason"]) == (newest["id"], "by mistake")
    assert caller.get(f"messages/{world.message}").json()["body"] == "Hello"
    refused(caller.ask("POST", f"moderation/actions/{newest['id']}/undo", {}), 409, "conflict")
