"""Everything that moderators do can be taken back: state → do → undo = state, for each kind of action."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chat import audit
from chat.actions import (
    accounts,
    holding,
    members,
    messages,
    reports,
    rooms,
    rules,
    sanctions,
    sweeping,
    undo,
)
from chat.actions.rooms import RoomChanges
from chat.actions.undo import REGISTRY, undo_action
from chat.models import HeldMessage, Report, Sanction
from chatproject.database import clock
from chatproject.errors import Code
from tests.deeds import (
    SCENARIOS,
    SPAM,
    Do,
    after,
    assigned,
    changed_room,
    imposed,
    lifted,
    rejected,
    rule,
    rule_changed,
    said,
    sanction,
    switched_on,
)
from tests.desk import (
    Desk,
    answers,
    at_once,
    code_of,
    desk,
    end_by_itself,
    last_action,
    notices_of,
    post,
    refused,
    staff,
    state_of,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def test_every_kind_of_action_has_a_scenario_here():
    assert {kind for kind, _, _ in SCENARIOS} == set(REGISTRY)
    assert all(kind == entry.kind and entry.words for kind, entry in REGISTRY.items())


@pytest.mark.parametrize(("kind", "about", "way"), SCENARIOS, ids=[f"{k} {a}" for k, a, _ in SCENARIOS])
def test_what_was_done_is_undone_and_what_was_undone_is_done_again(people, kind, about, way):
    root = staff("root", superuser=True)
    do = way(people)
    before = state_of(people)
    do()
    done = state_of(people)
    assert done != before
    action = last_action()
    assert action.kind == kind
    taken_back = undo_action(root, action.pk, why=SPAM)
    assert state_of(people) == before
    assert (taken_back.kind, taken_back.undoes_id, taken_back.actor) == (kind, action.pk, root)
    assert (taken_back.before, taken_back.after) == (action.after, action.before)
    assert undo.describe(taken_back) != undo.describe(action)
    assert code_of(undo_action, root, action.pk) == Code.CONFLICT
    undo_action(root, taken_back.pk)
    assert state_of(people) == done
    undo_action(root, last_action().pk)
    assert state_of(people) == before


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        (messages.DELETED, "alice olga maude"),
        (sanctions.IMPOSED, "alice olga maude"),
        (reports.DECIDED, "alice olga maude"),
        (holding.REJECTED, "alice olga maude"),
        (members.ROLE_CHANGED, "olga maude"),
        (rooms.ARCHIVED, "olga maude"),
        (rules.SAVED, "maude"),
        (accounts.SWITCHED, "maude"),
    ],
)
def test_who_may_do_it_may_take_it_back_and_others_in_the_room_only_learn_that_they_may_not(
    people, kind, who
):
    way = next(way for of, _, way in SCENARIOS if of == kind)
    way(people)()
    action = last_action(kind=kind)
    found = answers(people, lambda user: undo_action(user, action.pk))
    assert {name for name, code in found.items() if code == "ok"} == set(who.split())
    # Nor does it exist for those who moderate nothing there.
    assert {found[name] for name in ("carol", "mona", "stan", "gil", "dave")} == {"not_found"}


def test_once_taken_back_it_is_not_told_to_those_who_moderate_elsewhere(people):
    messages.delete_message(people.alice, said(people))
    action = last_action()
    undo_action(people.alice, action.pk)
    found = answers(people, lambda user: undo_action(user, action.pk))
    assert found == told(conflict="alice olga maude", not_found="bob carol mona stan gil dave")


def test_who_stands_lower_than_who_did_it_does_not_take_it_back(people):
    root = staff("root", superuser=True)
    for actor in (people.olga, people.maude, root):
        sanction(people, actor, "mute", people.room.pk)
        action = last_action()
        higher = {people.olga: "olga maude", people.maude: "maude", root: ""}[actor]
        found = answers(people, lambda user, action=action: undo_action(user, action.pk))
        assert {name for name, code in found.items() if code == "ok"} == set(higher.split())
        assert found["alice"] == "forbidden"


def test_nobody_takes_back_what_was_done_to_them(people):
    sanction_of_alice = sanctions.sanction_person(
        people.olga, people.alice.pk, kind="mute", room_id=people.room.pk
    )
    members.change_role(people.olga, people.room.pk, people.bob.pk, role="owner")
    assert sanction_of_alice.pk
    action = last_action(kind=sanctions.IMPOSED)
    assert code_of(undo_action, people.alice, action.pk) == Code.FORBIDDEN
    message = post(people.olga, people.room, "mine").message_id
    messages.delete_message(people.bob, message)
    assert code_of(undo_action, people.alice, last_action().pk) == Code.FORBIDDEN


def decide_held(d: Desk) -> None:
    holding.approve_held(d.alice, HeldMessage.objects.get(room=d.room).pk)


def ban(d: Desk) -> None:
    sanction(d, d.olga, "ban", d.room.pk)


def lift_all(d: Desk) -> None:
    for each in Sanction.objects.in_force().filter(user=d.bob):
        sanctions.lift_sanction(d.maude, each.pk)


def promote(d: Desk, role: str) -> None:
    members.change_role(d.olga, d.room.pk, d.bob.pk, role=role)


def reopen(d: Desk) -> None:
    rooms.reopen_room(d.olga, d.room.pk)


def last_report(d: Desk) -> int:
    return Report.objects.filter(room=d.room).latest("id").pk


def last_rule() -> int:
    return int(last_action(kind=rules.SAVED).target.partition(":")[2])


CHANGED_SINCE: list[tuple[str, Callable[[Desk], Do], Callable[[Desk], object]]] = [
    (
        "restored by hand",
        lambda d: after(m := said(d), lambda: messages.delete_message(d.alice, m)),
        lambda d: messages.restore_message(d.olga, int(last_action().target.partition(":")[2])),
    ),
    ("approved after all", rejected, lambda d: [undo_action(d.olga, last_action().pk), decide_held(d)]),
    ("another mute", imposed("mute"), lambda d: sanction(d, d.olga, "mute", d.room.pk)),
    ("another ban", lambda d: lifted(d, "ban", d.room.pk, d.alice), ban),
    ("back since", imposed("kick"), lambda d: [lift_all(d), members.join_room(d.bob, d.room.pk)]),
    ("another role", lambda d: lambda: promote(d, "moderator"), lambda d: promote(d, "owner")),
    ("gone since", lambda d: lambda: promote(d, "moderator"), lambda d: members.leave_room(d.bob, d.room.pk)),
    ("another name", changed_room, lambda d: rooms.update_room(d.olga, d.room.pk, RoomChanges(name="Again"))),
    ("open again", lambda d: lambda: rooms.archive_room(d.olga, d.room.pk), reopen),
    ("decided since", assigned, lambda d: reports.decide_report(d.olga, last_report(d), outcome="upheld")),
    ("another rule", rule_changed, lambda d: rules.save_rule(d.maude, last_rule(), rule(d, words="other"))),
    (
        "on again",
        switched_on,
        lambda d: accounts.switch_account(d.maude, d.bob.pk, active=False),
    ),
]


@pytest.mark.parametrize(
    ("way", "meanwhile"), [each[1:] for each in CHANGED_SINCE], ids=[each[0] for each in CHANGED_SINCE]
)
def test_what_has_changed_since_is_not_overwritten(people, way, meanwhile):
    root = staff("root", superuser=True)
    do = way(people)
    do()
    action = last_action()
    meanwhile(people)
    state = state_of(people)
    assert code_of(undo_action, root, action.pk) == Code.CONFLICT
    assert state_of(people) == state


def test_after_the_window_nothing_is_taken_back(people, settings):
    messages.delete_message(people.alice, said(people))
    action = last_action()
    settings.UNDO_WINDOW = timedelta(0)
    refusal = refused(undo_action, people.alice, action.pk)
    assert (refusal.code, refusal.message) == (Code.CONFLICT, "This is more than 0 days ago.")
    settings.UNDO_WINDOW = timedelta(days=1)
    assert undo_action(people.alice, action.pk)


@pytest.mark.parametrize("kind", [messages.DELETED, sanctions.IMPOSED, sweeping.CLEANED_UP, rules.SAVED])
def test_of_two_who_take_back_the_same_at_once_one_is_told(people, kind):
    next(way for of, _, way in SCENARIOS if of == kind)(people)()
    action = last_action(kind=kind)
    one, two = people.maude, staff("rita", superuser=True)
    ends = at_once(lambda: undo_action(one, action.pk), lambda: undo_action(two, action.pk))
    assert sorted(ends) == ["conflict", "ok"]
    assert last_action(undoes=action).undoes_id == action.pk


def test_a_kick_that_is_over_is_taken_back_and_a_mute_that_is_over_needs_no_undo(people):
    imposed("kick")(people)()
    kick = last_action()
    people_before = state_of(people)["seats"]
    end_by_itself(people.bob)
    undo_action(people.alice, kick.pk)
    assert len(state_of(people)["seats"] - people_before) == 1
    imposed("mute")(people)()
    mute = last_action()
    end_by_itself(people.bob)
    assert code_of(undo_action, people.alice, mute.pk) == Code.CONFLICT


def test_a_lifted_mute_comes_back_beside_one_that_has_ended_by_itself(people):
    lifted(people, "mute", people.room.pk, people.alice)()
    action = last_action()
    sanction(people, people.alice, "mute", people.room.pk, until=clock() + timedelta(minutes=1))
    end_by_itself(people.bob)
    undo_action(people.alice, action.pk)
    assert Sanction.objects.in_force().filter(user=people.bob).get().lifted_at is None


def test_one_warning_of_two_is_taken_back_or_lifted_alone(people):
    sanction(people, people.alice, "warn", people.room.pk)
    action = last_action()
    second = sanction(people, people.alice, "warn", people.room.pk)
    third = sanction(people, people.alice, "warn", people.room.pk)

    def in_force():
        return list(Sanction.objects.in_force().filter(user=people.bob).order_by("pk"))

    undo_action(people.alice, action.pk)
    assert in_force() == [second, third]
    sanctions.lift_sanction(people.alice, third.pk)
    assert last_action().target == f"warn:{third.pk}"
    assert in_force() == [second]
    assert [n["kind"] for n in notices_of(people.bob)] == ["sanctioned"] * 3 + ["unsanctioned"] * 2


def test_a_sanction_that_comes_back_is_told_with_its_reason(people):
    lifted(people, "mute", people.room.pk, people.alice)()
    undo_action(people.alice, last_action().pk)
    told_of = notices_of(people.bob)
    assert [notice["kind"] for notice in told_of] == ["sanctioned", "unsanctioned", "sanctioned"]
    assert told_of[2]["reason"] == told_of[0]["reason"] == "Spam or advertising: the same link again"


def test_what_only_looked_cannot_be_taken_back(people):
    looked = audit.record(people.maude, audit.Deed(undo.LOOKED, "room:1", people.room.pk))
    found = answers(people, lambda user: undo_action(user, looked.pk))
    assert {found[name] for name in ("maude",)} == {"conflict"}
    assert found["dave"] == "not_found" and found["alice"] == "forbidden"
