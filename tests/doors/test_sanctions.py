"""Sanctions: who may impose which on whom, where one takes the place of another, and how they end."""

import uuid
from datetime import timedelta

import pytest

from chat import access, snapshots
from chat.actions import members, reports, sanctions
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.models import ModerationAction, Sanction
from chatproject.database import clock
from chatproject.errors import Code
from tests.cast import person
from tests.deeds import SPAM
from tests.desk import (
    Desk,
    answers,
    at_once,
    code_of,
    desk,
    end_by_itself,
    post,
    refused,
    staff,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")
KINDS = ("warn", "mute", "kick", "ban")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def impose(by, target, kind, room=None, **more):
    return sanction_person(by, target.pk, kind=kind, room_id=room.pk if room else None, why=SPAM, **more)


def in_force(user, room=None):
    return list(Sanction.objects.in_force().filter(user=user, room=room).values_list("kind", flat=True))


# --- who, and whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_room_its_moderators_and_permitted_staff_sanction(people, kind):
    found = answers(people, lambda user: impose(user, people.bob, kind, people.room))
    assert found == told(ok="alice olga maude", forbidden="bob carol mona stan gil dave")


@pytest.mark.parametrize("kind", KINDS)
def test_everywhere_only_permitted_staff_sanctions(people, kind):
    found = answers(people, lambda user: impose(user, people.bob, kind))
    assert found == told(ok="maude", forbidden="bob carol alice mona olga stan gil dave")


def test_in_a_private_room_staff_needs_to_look_into_it_and_others_learn_nothing(committed_db):
    people = desk(kind="private")
    found = answers(people, lambda user: impose(user, people.bob, "mute", people.room))
    assert found == told(ok="alice olga", forbidden="bob carol", not_found="mona maude stan gil dave")
    inspector = staff("ida", access.SANCTION, access.VIEW_PRIVATE)
    assert impose(inspector, people.bob, "mute", people.room)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_sanctioned_by_themselves_or_by_who_stands_no_higher(people, kind):
    root = staff("root", superuser=True)
    above = {"alice": "olga maude", "olga": "maude", "stan": "", "maude": ""}
    for target, may in above.items():
        if target in {"stan", "maude"}:
            members.join_room(getattr(people, target), people.room.pk)
        act = lambda user, target=target: impose(user, getattr(people, target), kind, people.room)  # noqa: E731
        found = answers(people, act)
        allowed = {name for name, code in found.items() if code == "ok"}
        last_owner = target == "olga" and kind == "kick"
        assert allowed == (set() if last_owner else set(may.split())), target
        refusals = {"conflict", "forbidden"} if last_owner else {"forbidden"}
        assert {code for name, code in found.items() if name not in allowed} == refusals
    for user in (people.maude, people.stan, root):
        assert code_of(impose, people.maude, user, kind) == Code.FORBIDDEN
    assert code_of(impose, root, root, kind) == Code.FORBIDDEN
    assert impose(root, people.maude, kind)


def test_the_last_owner_of_a_room_is_not_kicked(people):
    refusal = refused(impose, people.maude, people.olga, "kick", people.room)
    assert refusal.code == Code.CONFLICT and in_force(people.olga, people.room) == []
    members.change_role(people.olga, people.room.pk, people.alice.pk, role="owner")
    assert impose(people.maude, people.olga, "kick", people.room)


def test_a_moderator_learns_nothing_of_people_who_never_were_in_the_room(people):
    strangers = [person("eve"), people.stan, staff("root", superuser=True)]
    for kind in KINDS:
        codes = {code_of(impose, people.alice, user, kind, people.room) for user in strangers}
        missing = code_of(sanction_person, people.alice, 2**40, kind=kind, room_id=people.room.pk)
        assert codes == {missing} == {"not_found"}
    # Who has written there is known, though they have left.
    post(people.dave, people.room)
    members.leave_room(people.dave, people.room.pk)
    assert impose(people.alice, people.dave, "ban", people.room)
    assert impose(people.maude, strangers[0], "ban", people.room)


def test_a_moderator_learns_nothing_of_another_room(people):
    message = post(people.bob, people.room).message_id
    mute = Sanction.objects.get(room=people.room, user=people.carol)
    number = reports.report(people.dave, reports.Target(message_id=message), why=SPAM).pk
    for exists, absent in (
        (lambda: lift_sanction(people.mona, mute.pk), lambda: lift_sanction(people.mona, 2**40)),
        (lambda: decide(people.mona, number), lambda: decide(people.mona, 2**40)),
        (
            lambda: impose(people.mona, people.bob, "ban", people.room),
            lambda: ban_of(people.mona, people.room),
        ),
    ):
        known, unknown = refused(exists), refused(absent)
        assert (known.code, known.message, known.fields) == (unknown.code, unknown.message, unknown.fields)


def ban_of(user, room):
    sanction_person(user, 2**40, kind="ban", room_id=room.pk)


def decide(user, number):
    reports.decide_report(user, number, outcome="upheld")


def test_who_may_sanction_may_lift_and_to_others_there_is_no_sanction(people):
    mute = impose(people.alice, people.bob, "mute", people.room)
    found = answers(people, lambda user: lift_sanction(user, mute.pk))
    assert found == told(ok="alice olga maude", not_found="bob carol mona stan gil dave")
    site = impose(people.maude, people.bob, "mute")
    found = answers(people, lambda user: lift_sanction(user, site.pk))
    assert found == told(ok="maude", not_found="bob carol alice mona olga stan gil dave")
    lift_sanction(people.alice, mute.pk)
    assert code_of(lift_sanction, people.alice, mute.pk) == Code.CONFLICT


# --- bad input, replacement, end -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("everywhere", [False, True])
def test_an_end_in_the_past_an_unknown_kind_and_a_bad_reason_are_refused(people, kind, everywhere):
    room = None if everywhere else people.room
    for until in (clock(), clock() - HOUR):
        refusal = refused(impose, people.maude, people.bob, kind, room, until=until)
        assert refusal.code == Code.INVALID and list(refusal.fields) == ["until"]
    assert list(refused(impose, people.maude, people.bob, "hex", room).fields) == ["kind"]
    for why, field in (
        (sanctions.Why("unheard-of"), "category"),
        (sanctions.Why("spam", "x" * 501), "reason"),
    ):
        act = lambda why=why: sanction_person(people.maude, people.bob.pk, kind=kind, why=why)  # noqa: E731
        assert list(refused(act).fields) == [field]
    assert in_force(people.bob, room) == []


def test_a_new_mute_takes_the_place_of_one_and_kicks_and_bans_of_each_other(people):
    room = people.room
    for kind in ("mute", "kick", "ban", "kick", "mute"):
        impose(people.alice, people.bob, kind, room, until=clock() + HOUR)
    assert sorted(in_force(people.bob, room)) == ["kick", "mute"]
    for kind in ("warn", "warn", "mute", "mute", "ban", "kick"):
        impose(people.maude, people.bob, kind)
    assert sorted(in_force(people.bob)) == ["kick", "mute", "warn", "warn"]
    assert sorted(in_force(people.bob, room)) == ["kick", "mute"]


def test_a_sanction_ends_by_itself_and_lets_the_next_one_begin(people):
    for kind, act in (
        ("mute", lambda: post(people.bob, people.room)),
        ("ban", lambda: snapshots.message_page(people.bob, people.room.pk)),
    ):
        impose(people.alice, people.bob, kind, people.room, until=clock() + HOUR)
        assert refused(act).code in {Code.MUTED, Code.BANNED}
        end_by_itself(people.bob)
        assert act() and in_force(people.bob, people.room) == []
        impose(people.alice, people.bob, kind, people.room)
        assert refused(act).code in {Code.MUTED, Code.BANNED}
        lift_sanction(people.alice, Sanction.objects.in_force().get(user=people.bob).pk)


def test_of_two_who_sanction_at_once_both_are_heard_and_one_is_in_force(people):
    acts = [lambda by=by: impose(by, people.bob, "mute", people.room) for by in (people.alice, people.olga)]
    assert at_once(*acts) == ["ok", "ok"]
    assert in_force(people.bob, people.room) == ["mute"]
    sanction = Sanction.objects.in_force().get(user=people.bob)
    lifts = [lambda by=by: lift_sanction(by, sanction.pk) for by in (people.alice, people.olga)]
    assert sorted(at_once(*lifts)) == ["conflict", "ok"]


# --- sent again ----------------------------------------------------------------------------------------


def test_a_sanction_sent_again_is_the_one_imposed_before_even_when_it_was_lifted_since(people):
    client_id = uuid.uuid4()
    first = impose(people.alice, people.bob, "mute", people.room, client_id=client_id)
    lift_sanction(people.alice, first.pk)
    actions = ModerationAction.objects.count()
    again = impose(people.alice, people.bob, "mute", people.room, client_id=client_id)
    assert again == first and in_force(people.bob, people.room) == []
    assert ModerationAction.objects.count() == actions
    other = impose(people.olga, people.bob, "mute", people.room, client_id=client_id)
    assert other != first and in_force(people.bob, people.room) == ["mute"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sanction_sent_twice_at_once_is_imposed_once(people, kind):
    client_id = uuid.uuid4()
    act = lambda: impose(people.alice, people.bob, kind, people.room, client_id=client_id)  # noqa: E731
    assert at_once(act, act) == ["ok", "ok"]
    assert Sanction.objects.filter(by=people.alice, client_id=client_id).count() == 1


def test_one_client_id_for_two_rooms_at_once_is_used_once_and_the_other_is_told(people):
    members.join_room(people.bob, people.elsewhere.pk)
    client_id = uuid.uuid4()
    acts = [
        lambda room=room: impose(people.maude, people.bob, "mute", room, client_id=client_id)
        for room in (people.room, people.elsewhere)
    ]
    ends = at_once(*acts)
    assert set(ends) <= {"ok", "conflict"} and "ok" in ends
    assert Sanction.objects.filter(by=people.maude, client_id=client_id).count() == 1


def test_a_client_id_is_no_way_around_the_right_to_sanction(people):
    client_id = uuid.uuid4()
    impose(people.alice, people.bob, "mute", people.room, client_id=client_id)
    members.change_role(people.olga, people.room.pk, people.alice.pk, role="member")
    assert code_of(impose, people.alice, people.bob, "mute", people.room, client_id=client_id) == "forbidden"
