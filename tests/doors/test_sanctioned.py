"""Whoever is sanctioned: what they may not do where, and what they and the room are told."""

import uuid
from datetime import timedelta

import pytest

from accounts.credentials import session_credential
from chat import log, snapshots
from chat.actions import members, messages, reports, sanctions
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.models import GuestPolicy, Membership, Role, Room, Sanction
from chat.payloads import encode
from chatproject.database import clock
from chatproject.errors import AppError, Code
from tests.cast import session_for
from tests.deeds import SPAM
from tests.desk import Desk, code_of, desk, end_by_itself, notices_of, post, refused

pytestmark = pytest.mark.usefixtures("committed_db")
KINDS = ("warn", "mute", "kick", "ban")
HOUR = timedelta(hours=1)
REASON = "Spam or advertising: the same link again"


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def impose(by, target, kind, room=None, **more):
    return sanction_person(by, target.pk, kind=kind, room_id=room.pk if room else None, why=SPAM, **more)


def read(user, room):
    return snapshots.message_page(user, room.pk)


def in_list(user, room):
    return room.pk in {each.id for each in snapshots.room_list(user, limit=10_000)[0]}


def doors(people, user, room):
    """What ``user`` can do: each door and its answer."""
    message = post(people.olga, room).message_id
    acts = {
        "read": lambda: read(user, room),
        "write": lambda: post(user, room),
        "join": lambda: members.join_room(user, room.pk),
        "mark": lambda: members.mark_read(user, room.pk, seq=1),
        "report": lambda: reports.report(user, reports.Target(message_id=message), why=SPAM),
        "be added": lambda: members.add_member(people.olga, room.pk, display_name=user.display_name),
    }
    found = {}
    for name, act in acts.items():
        try:
            act()
            found[name] = "ok"
        except AppError as refusal:
            found[name] = str(refusal.code)
    return found | {"list": in_list(user, room)}


@pytest.mark.parametrize("who", ["bob", "gil"])
@pytest.mark.parametrize(
    ("kind", "forbidden"),
    [
        ("warn", {}),
        ("mute", {"write": "muted"}),
        (
            "ban",
            dict.fromkeys(("read", "write", "join", "mark", "report"), "banned")
            | {"be added": "conflict", "list": False},
        ),
    ],
)
def test_what_a_sanction_in_a_room_forbids_there_and_nowhere_else(people, who, kind, forbidden):
    user = getattr(people, who)
    free = dict.fromkeys(("read", "write", "join", "mark", "report", "be added"), "ok") | {"list": True}
    other = people.elsewhere
    Room.objects.filter(pk=other.pk).update(guest_policy=GuestPolicy.WRITE)
    impose(people.alice, user, kind, people.room)
    assert doors(people, user, people.room) == free | forbidden
    assert doors(people, user, other) == free
    assert Membership.objects.filter(room=people.room, user=user).exists()


def test_a_kick_ends_the_membership_and_keeps_out_for_a_while(people):
    sanction = impose(people.alice, people.bob, "kick", people.room)
    assert sanction.ends_at - sanction.created_at == timedelta(seconds=sanctions.KICK_SECONDS)
    assert not Membership.objects.filter(room=people.room, user=people.bob).exists()
    assert code_of(members.join_room, people.bob, people.room.pk) == Code.BANNED
    end_by_itself(people.bob)
    assert members.join_room(people.bob, people.room.pk).role == Role.MEMBER


def test_a_ban_leaves_the_membership_for_the_day_it_is_over(people):
    members.mark_read(people.bob, people.room.pk, seq=3)
    ban = impose(people.alice, people.bob, "ban", people.room)
    lift_sanction(people.alice, ban.pk)
    assert snapshots.my_room(people.bob, people.room.pk).read == 3


def test_who_is_muted_edits_and_restores_nothing_but_may_take_away_their_own(people):
    message = post(people.bob, people.room).message_id
    impose(people.alice, people.bob, "mute", people.room)
    assert code_of(messages.edit_message, people.bob, message, body="other") == Code.MUTED
    assert messages.delete_message(people.bob, message)
    assert code_of(messages.restore_message, people.bob, message) == Code.MUTED


def test_a_mute_everywhere_binds_in_each_room_and_no_deed_there_lifts_it(people):
    impose(people.maude, people.bob, "mute")
    room_mute = impose(people.alice, people.bob, "mute", people.room)
    lift_sanction(people.alice, room_mute.pk)
    for room in (people.room, people.elsewhere):
        assert refused(post, people.bob, room).code == Code.MUTED
        restriction = snapshots.my_room(people.bob, room.pk).restriction
        assert (restriction.kind, restriction.reason) == ("mute", REASON)


def test_a_moderator_who_is_banned_moderates_no_more(people):
    impose(people.olga, people.alice, "ban", people.room)
    assert code_of(impose, people.alice, people.bob, "mute", people.room) == Code.BANNED
    message = post(people.bob, people.room).message_id
    assert code_of(messages.delete_message, people.alice, message) == Code.BANNED


@pytest.mark.parametrize("kind", ["kick", "ban"])
def test_a_bar_from_the_site_refuses_credentials_until_it_is_lifted_or_over(people, kind):
    key = session_for(people.bob)
    for end in (lambda s: lift_sanction(people.maude, s.pk), lambda s: end_by_itself(people.bob)):
        sanction = impose(people.maude, people.bob, kind)
        refusal = refused(session_credential, key)
        assert refusal.code == Code.BANNED and REASON in refusal.message
        assert refused(post, people.bob, people.room).code == Code.BANNED
        impose(people.maude, people.bob, "mute")
        assert refused(session_credential, key).code == Code.BANNED
        end(sanction)
        assert session_credential(key)[0] == people.bob


@pytest.mark.parametrize("kind", ["mute", "ban"])
def test_the_refusal_and_the_notice_have_the_reason_and_the_end(people, kind):
    until = clock() + HOUR
    impose(people.alice, people.bob, kind, people.room, until=until)
    refusal = refused(post, people.bob, people.room)
    assert refusal.fields == {"reason": [REASON]} and REASON in refusal.message
    assert refusal.retry_after is not None and 3500 < refusal.retry_after <= 3600
    (notice,) = notices_of(people.bob)
    assert (notice["kind"], notice["sanction"], notice["room"]) == ("sanctioned", kind, people.room.pk)
    assert (notice["reason"], notice["room_name"]) == (REASON, "Test")
    assert notice["ends_at"] == f"{until:%Y-%m-%dT%H:%M:%S.%f}Z"
    lift_sanction(people.alice, Sanction.objects.in_force().get(user=people.bob).pk)
    assert notices_of(people.bob)[1]["kind"] == "unsanctioned"
    assert notices_of(people.dave) == []


def test_the_room_is_told_the_kind_and_never_the_reason(people):
    head = Room.objects.get(pk=people.room.pk).last_seq
    for kind in KINDS:
        impose(people.alice, people.bob, kind, people.room)
    events = log.read_after(people.room.pk, head, 100)
    assert [(event.kind, event.payload.data.get("kind")) for event in events] == [
        ("member.sanctioned", "mute"),
        ("member.sanctioned", "kick"),
        ("member.left", None),
        ("member.sanctioned", "ban"),
    ]
    assert b"same link" not in b"".join(encode(event.payload) for event in events)
    impose(people.maude, people.bob, "mute")
    assert len(log.read_after(people.room.pk, head, 100)) == len(events)


def test_a_repeat_of_what_was_sent_before_a_mute_is_answered(people):
    client_id = uuid.uuid4()
    first = post(people.bob, people.room, "mine", client_id)
    impose(people.alice, people.bob, "mute", people.room)
    again = post(people.bob, people.room, "mine", client_id)
    assert (again.message_id, again.replayed) == (first.message_id, True)
