"""Held messages: who waits, who decides, and that nobody else sees a word before."""

import uuid

import pytest

from accounts.actions.guests import create_guest
from chat import log, snapshots
from chat.actions import batch, holding, members, messages, rooms, rules, sanctions
from chat.actions.drafts import Draft, Held, Posted
from chat.actions.holding import approve_held, reject_held
from chat.actions.posting import post_messages
from chat.actions.rooms import RoomChanges
from chat.actions.undo import undo_action
from chat.models import GuestPolicy, HeldMessage, HeldState, Membership, Message, Room, RoomKind
from chat.payloads import encode
from chatproject.errors import Code
from tests.cast import person
from tests.deeds import SPAM, rule
from tests.desk import (
    Desk,
    answer,
    answers,
    at_once,
    code_of,
    desk,
    last_action,
    notices_of,
    post,
    refused,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db) -> Desk:
    """Guests wait for approval."""
    return desk(guest_policy=GuestPolicy.APPROVAL)


def held_by(user, room, body="unheard-of", client_id=None):
    assert isinstance(post(user, room, body, client_id), Held)
    return HeldMessage.objects.filter(room=room, author=user).latest("id").pk


def head_of(room):
    return Room.objects.get(pk=room.pk).last_seq


def outcome(act, user):
    found = []
    code = answer(lambda who: found.append(act(who)), user)
    return type(found[0]).__name__ if found else code


@pytest.mark.parametrize(
    ("kind", "policy", "expected"),
    [
        ("public", GuestPolicy.WRITE, {"gil": "Posted"}),
        ("public", GuestPolicy.APPROVAL, {"gil": "Held"}),
        ("public", GuestPolicy.READ, {"gil": "read_only"}),
        ("public", GuestPolicy.NONE, {"gil": "not_found"}),
        (
            "announcement",
            GuestPolicy.APPROVAL,
            dict.fromkeys(("bob", "carol", "mona", "maude", "stan", "gil", "dave"), "read_only"),
        ),
        (
            "announcement",
            GuestPolicy.NONE,
            dict.fromkeys(("bob", "carol", "mona", "maude", "stan", "dave"), "read_only")
            | {"gil": "not_found"},
        ),
        ("private", GuestPolicy.NONE, dict.fromkeys(("mona", "maude", "stan", "gil", "dave"), "not_found")),
    ],
)
def test_who_writes_who_waits_and_who_may_not_by_kind_and_policy(committed_db, kind, policy, expected):
    people = desk(kind="public")
    rooms.update_room(people.olga, people.room.pk, RoomChanges(kind=RoomKind(kind), guest_policy=policy))
    members.remove_member(people.olga, people.room.pk, people.gil.pk)
    sanctions.lift_sanction(people.olga, people.gil.sanctions.get().pk)
    found = {name: outcome(lambda who: post(who, people.room), getattr(people, name)) for name in ALL}
    assert found == dict.fromkeys(ALL, "Posted") | {"carol": "muted"} | expected


ALL = ("bob", "carol", "alice", "mona", "olga", "maude", "stan", "gil", "dave")


def test_a_guest_who_belongs_to_the_room_waits_too(committed_db):
    people = desk()
    rooms.update_room(people.olga, people.room.pk, RoomChanges(guest_policy=GuestPolicy.APPROVAL))
    assert held_by(people.gil, people.room)


def test_a_held_message_is_in_no_event_page_list_count_or_preview(people):
    post(people.bob, people.room, "shown")
    head = head_of(people.room)
    held_by(people.gil, people.room)
    assert head_of(people.room) == head and log.read_after(people.room.pk, head, 10) == []
    for user in (people.olga, people.alice, people.bob, people.gil, None):
        seen = encode(snapshots.message_page(user, people.room.pk))
        listed = next(
            each for each in snapshots.room_list(user, limit=10_000)[0] if each.id == people.room.pk
        )
        assert b"unheard-of" not in seen + encode(listed)
        assert listed.preview.text == "shown"
    assert snapshots.my_room(people.olga, people.room.pk).unread == 1
    assert not Membership.objects.filter(room=people.room, user=people.gil).exists()
    assert [held.body for held in snapshots.held_of(people.gil, people.room.pk)] == ["unheard-of"]
    assert snapshots.held_of(people.bob, people.room.pk) == []


@pytest.mark.parametrize("act", [approve_held, reject_held])
def test_moderators_and_permitted_staff_decide_and_to_others_nothing_waits(people, act):
    held = held_by(people.gil, people.room)
    found = answers(people, lambda user: act(user, held))
    assert found == told(ok="alice olga maude", not_found="bob carol mona stan gil dave")
    sanctions.sanction_person(people.olga, people.alice.pk, kind="ban", room_id=people.room.pk)
    known, absent = refused(act, people.alice, held), refused(act, people.alice, 2**40)
    assert (known.code, known.message) == (absent.code, absent.message)


def test_an_approved_message_comes_at_the_end_of_the_room_and_its_author_joins(people):
    client_id = uuid.uuid4()
    held = held_by(people.gil, people.room, client_id=client_id)
    before = post(people.bob, people.room, "between")
    approve_held(people.alice, held)
    message = Message.objects.get(room=people.room, client_id=client_id)
    assert (message.seq, message.author, message.body) == (before.seq + 1, people.gil, "unheard-of")
    (event,) = log.read_after(people.room.pk, before.seq, 10)
    assert (event.kind, event.seq, event.payload.actor) == ("message.approved", message.seq, people.alice.pk)
    assert event.payload.data["message"].body == "unheard-of"
    assert Membership.objects.get(room=people.room, user=people.gil).role == "member"
    (notice,) = notices_of(people.gil)
    assert (notice["kind"], notice["message"]) == ("held.approved", message.pk)
    assert notice["client_id"] == str(client_id)


def test_an_account_that_joins_by_an_approval_is_announced(people):
    saved = rules.save_rule(people.maude, None, rule(people, live=True))
    held = held_by(people.dave, people.room, "xyzzy")
    head = head_of(people.room)
    approve_held(people.alice, held)
    kinds = [event.kind for event in log.read_after(people.room.pk, head, 10)]
    assert kinds == ["member.joined", "message.approved"]
    rules.save_rule(people.maude, saved.pk, rule(people, removed=True))


def test_a_rejected_message_is_told_with_the_reason_and_nothing_is_shown(people):
    held = held_by(people.gil, people.room)
    head = head_of(people.room)
    reject_held(people.alice, held, why=SPAM)
    assert head_of(people.room) == head
    (notice,) = notices_of(people.gil)
    assert (notice["kind"], notice["reason"]) == ("held.rejected", "Spam or advertising: the same link again")
    assert snapshots.held_of(people.gil, people.room.pk) == []


def test_a_repeat_is_answered_alike_while_it_waits_and_after_each_decision(people):
    client_id = uuid.uuid4()
    held = held_by(people.gil, people.room, client_id=client_id)
    assert post(people.gil, people.room, "unheard-of", client_id) == Held(replayed=True)
    approve_held(people.alice, held)
    again = post(people.gil, people.room, "unheard-of", client_id)
    assert isinstance(again, Posted) and again.replayed
    other = uuid.uuid4()
    reject_held(people.alice, held_by(people.gil, people.room, client_id=other))
    assert post(people.gil, people.room, "unheard-of", other) == Held(replayed=True)
    assert HeldMessage.objects.filter(room=people.room).count() == 2


def test_a_repeat_within_a_batch_and_by_another_author_with_the_same_id(people):
    client_id = uuid.uuid4()
    other = create_guest(f"gus-{uuid.uuid4().hex[:8]}")
    drafts = [Draft(user, client_id, "same") for user in (people.gil, people.gil, other)]
    assert post_messages(people.room.pk, drafts) == [Held(), Held(replayed=True), Held()]


def test_so_many_of_one_author_wait_and_no_more_in_one_batch_or_several(people, monkeypatch):
    monkeypatch.setattr(batch, "MAX_HELD", 3)
    drafts = [Draft(people.gil, uuid.uuid4(), str(number)) for number in range(5)]
    outcomes = post_messages(people.room.pk, drafts)
    assert [getattr(each, "code", "held") for each in outcomes] == ["held"] * 3 + ["rate_limited"] * 2
    assert code_of(post, people.gil, people.room) == Code.RATE_LIMITED
    # Repeats are no new ones, neither of what waits nor of what was decided; and there is place again.
    first = HeldMessage.objects.filter(room=people.room).earliest("id")
    reject_held(people.alice, first.pk)
    repeat, new = [
        Draft(people.gil, first.client_id, "0"),
        Draft(people.gil, uuid.uuid4(), "new"),
    ]
    assert post_messages(people.room.pk, [repeat, new]) == [Held(replayed=True), Held()]
    assert code_of(post, people.gil, people.room) == Code.RATE_LIMITED
    assert isinstance(post(create_guest(f"gus-{uuid.uuid4().hex[:8]}"), people.room), Held)


def test_slow_mode_counts_what_waits(people):
    rooms.update_room(people.olga, people.room.pk, RoomChanges(slow_mode_seconds=60))
    held_by(people.gil, people.room)
    assert code_of(post, people.gil, people.room) == Code.SLOW_MODE


@pytest.mark.parametrize("second", [approve_held, reject_held])
def test_of_two_moderators_at_once_one_wins_and_the_other_is_told_by_whom(people, second):
    held = held_by(people.gil, people.room)
    acts = [lambda: approve_held(people.alice, held), lambda: second(people.olga, held)]
    assert sorted(at_once(*acts)) == ["conflict", "ok"]
    state = HeldMessage.objects.get(pk=held)
    assert state.decided_by.display_name in refused(reject_held, people.maude, held).message
    assert Message.objects.filter(room=people.room).count() == (state.state == HeldState.APPROVED)
    assert len(notices_of(people.gil)) == 1


def test_nothing_is_let_into_a_closed_room_but_kept_out_of_it(people):
    held = held_by(people.gil, people.room)
    rooms.archive_room(people.olga, people.room.pk)
    assert code_of(approve_held, people.alice, held) == Code.ARCHIVED
    assert HeldMessage.objects.get(pk=held).state == HeldState.WAITING
    assert not Membership.objects.filter(room=people.room, user=people.gil).exists()
    reject_held(people.alice, held)
    undo_action(people.alice, last_action().pk)
    assert HeldMessage.objects.get(pk=held).state == HeldState.WAITING


@pytest.mark.parametrize("everywhere", [False, True])
def test_an_approval_after_a_ban_shows_the_message_and_lets_nobody_in(people, everywhere):
    held = held_by(people.gil, people.room)
    by, room = (people.maude, None) if everywhere else (people.alice, people.room.pk)
    sanctions.sanction_person(by, people.gil.pk, kind="ban", room_id=room)
    approve_held(people.alice, held)
    assert Message.objects.get(room=people.room).author == people.gil
    assert not Membership.objects.filter(room=people.room, user=people.gil).exists()


@pytest.mark.parametrize("goes", [members.leave_room, members.remove_member])
def test_an_approval_brings_nobody_back_into_a_private_room(committed_db, goes):
    people = desk(kind="private")
    saved = rules.save_rule(people.maude, None, rule(people, live=True))
    held = held_by(people.bob, people.room, "xyzzy")
    if goes is members.leave_room:
        goes(people.bob, people.room.pk)
    else:
        goes(people.alice, people.room.pk, people.bob.pk)
    approve_held(people.alice, held)
    assert code_of(snapshots.my_room, people.bob, people.room.pk) == Code.NOT_FOUND
    rules.save_rule(people.maude, saved.pk, rule(people, removed=True))


def test_the_undo_of_an_approval_takes_the_message_away_and_a_new_one_brings_it_back_in_its_place(people):
    held = held_by(people.gil, people.room)
    approve_held(people.alice, held)
    seq = Message.objects.get(room=people.room).seq
    undo_action(people.olga, last_action().pk)
    assert snapshots.message_page(people.olga, people.room.pk).results[0].body == ""
    assert not Membership.objects.filter(room=people.room, user=people.gil).exists()
    assert [each.state for each in snapshots.held_of(people.gil, people.room.pk)] == ["waiting"]
    approve_held(people.olga, held)
    (message,) = snapshots.message_page(people.olga, people.room.pk).results
    assert (message.seq, message.body) == (seq, "unheard-of")


def test_who_has_become_a_moderator_since_stays_one_when_the_approval_is_taken_back(people):
    saved = rules.save_rule(people.maude, None, rule(people, live=True))
    approve_held(people.alice, held_by(people.dave, people.room, "xyzzy"))
    approval = last_action()
    members.change_role(people.olga, people.room.pk, people.dave.pk, role="moderator")
    undo_action(people.alice, approval.pk)
    assert Membership.objects.get(room=people.room, user=people.dave).role == "moderator"
    rules.save_rule(people.maude, saved.pk, rule(people, removed=True))


def test_moderators_are_told_that_something_waits_and_not_what(people):
    heard = []
    listen = lambda users, kind, data: heard.append((users, kind, data))  # noqa: E731
    holding.notices.on_told(listen)
    try:
        held_by(people.gil, people.room)
    finally:
        holding.notices._listeners.remove(listen)
    assert heard == [(sorted([people.olga.pk, people.alice.pk]), "held.waiting", {"room": people.room.pk})]


def test_someone_outside_who_guesses_a_client_id_learns_nothing(people):
    client_id = uuid.uuid4()
    held_by(people.gil, people.room, client_id=client_id)
    assert code_of(snapshots.held_of_client_id, people.bob, people.room.pk, client_id) == Code.NOT_FOUND
    assert snapshots.held_of_client_id(people.gil, people.room.pk, client_id).rule is None
    assert isinstance(post(person("eve"), people.room, "mine", client_id), Posted)


def test_a_message_that_was_removed_after_its_approval_comes_back_as_any_other(people):
    approve_held(people.alice, held_by(people.gil, people.room))
    message = Message.objects.get(room=people.room)
    messages.delete_message(people.alice, message.pk)
    assert messages.restore_message(people.alice, message.pk)
    assert HeldMessage.objects.get(room=people.room).state == HeldState.APPROVED
