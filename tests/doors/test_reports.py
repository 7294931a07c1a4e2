"""Reports: who reports what, the evidence that is kept, who decides, and what is told."""

import uuid

import pytest

from chat import access, snapshots
from chat.actions import members, messages, reports, rooms, sanctions
from chat.actions.reports import Target, assign_report, decide_report, report
from chat.actions.rooms import RoomChanges
from chat.actions.undo import undo_action
from chat.audit import Why
from chat.models import Evidence, GuestPolicy, Message, Outcome, Report, ReportState
from chatproject.errors import Code
from tests.cast import person
from tests.deeds import SPAM
from tests.desk import (
    Desk,
    answers,
    at_once,
    code_of,
    desk,
    last_action,
    notices_of,
    post,
    refused,
    staff,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def said(people, by=None, body="rude"):
    return post(by or people.bob, people.room, body).message_id


def reported(people, by=None, message=None):
    target = Target(message_id=message or said(people))
    return report(by or people.dave, target, why=SPAM).pk


def hide_after(people, count):
    rooms.update_room(people.olga, people.room.pk, RoomChanges(hide_after_reports=count))


def shown(message):
    return Message.objects.filter(pk=message, deleted_at=None).exists()


# --- reporting ---------------------------------------------------------------------------------------


def test_everybody_who_reads_a_room_reports_what_others_said_there(people):
    message = said(people)
    found = answers(people, lambda user: report(user, Target(message_id=message), why=SPAM))
    assert found == told(ok="carol alice mona olga maude stan gil dave", invalid="bob")
    found = answers(people, lambda user: report(user, Target(room_id=people.room.pk), why=SPAM))
    assert set(found.values()) == {"ok"}
    target = Target(user_id=people.bob.pk, room_id=people.room.pk)
    found = answers(people, lambda user: report(user, target, why=SPAM))
    assert found == told(ok="carol alice mona olga maude stan gil dave", invalid="bob")
    found = answers(people, lambda user: report(user, Target(user_id=people.bob.pk), why=SPAM))
    assert found["bob"] == "invalid" and set(found.values()) == {"ok", "invalid"}


def test_what_someone_cannot_see_does_not_exist_to_report(committed_db):
    people = desk(kind="private")
    message = said(people)
    for target in (
        Target(message_id=message),
        Target(room_id=people.room.pk),
        Target(user_id=people.bob.pk, room_id=people.room.pk),
    ):
        found = answers(people, lambda user, target=target: report(user, target, why=SPAM))
        for name in ("mona", "maude", "stan", "gil", "dave"):
            assert found[name] == "not_found"
        assert found["alice"] == found["carol"] == "ok"
    absent = refused(report, people.dave, Target(message_id=2**40), why=SPAM)
    known = refused(report, people.dave, Target(message_id=message), why=SPAM)
    assert (absent.code, absent.message) == (known.code, known.message)


def test_guests_do_not_report_what_is_not_open_to_them_nor_the_banned_what_they_may_not_read(people):
    message = said(people)
    sanctions.sanction_person(people.alice, people.carol.pk, kind="ban", room_id=people.room.pk)
    assert code_of(report, people.carol, Target(message_id=message), why=SPAM) == Code.BANNED
    rooms.update_room(people.olga, people.room.pk, RoomChanges(guest_policy=GuestPolicy.NONE))
    assert code_of(report, people.gil, Target(message_id=message), why=SPAM) == Code.NOT_FOUND


def test_a_report_says_what_it_is_about_and_why(people):
    message = said(people)
    for target, why, code in (
        (Target(), SPAM, Code.INVALID),
        (Target(user_id=2**40), SPAM, Code.NOT_FOUND),
        (Target(room_id=2**40), SPAM, Code.NOT_FOUND),
        (Target(message_id=message), Why("unheard-of"), Code.INVALID),
        (Target(message_id=message), Why("spam", "x" * 501), Code.INVALID),
    ):
        assert code_of(report, people.dave, target, why=why) == code
    messages.delete_message(people.bob, message)
    assert code_of(report, people.dave, Target(message_id=message), why=SPAM) == Code.CONFLICT
    assert not Report.objects.filter(reporter=people.dave).exists()


def test_the_same_report_twice_is_one_until_it_is_decided(people):
    message = said(people)
    for target in (Target(message_id=message), Target(user_id=people.bob.pk), Target(room_id=people.room.pk)):
        first = report(people.dave, target, why=SPAM)
        assert report(people.dave, target, why=Why("hate")).pk == first.pk
        assert report(people.gil, target, why=SPAM).pk != first.pk
        by = staff("hal", access.HANDLE_REPORTS)
        decide_report(by, first.pk, outcome=Outcome.DISMISSED)
        assert report(people.dave, target, why=SPAM).pk != first.pk


@pytest.mark.parametrize("what", ["message", "person", "person in the room", "room"])
def test_the_same_report_twice_at_once_is_one(people, what):
    target = {
        "message": Target(message_id=said(people)),
        "person": Target(user_id=people.bob.pk),
        "person in the room": Target(user_id=people.bob.pk, room_id=people.room.pk),
        "room": Target(room_id=people.room.pk),
    }[what]
    assert at_once(*[lambda: report(people.dave, target, why=SPAM)] * 4) == ["ok"] * 4
    assert Report.objects.filter(reporter=people.dave).count() == 1


def test_a_report_sent_again_after_the_decision_is_the_one_that_was_decided(people):
    message, client_id = said(people), uuid.uuid4()
    target = Target(message_id=message)
    first = report(people.dave, target, why=SPAM, client_id=client_id)
    decide_report(people.alice, first.pk, outcome=Outcome.DISMISSED)
    again = report(people.dave, target, why=SPAM, client_id=client_id)
    assert (again.pk, again.state, again.outcome) == (first.pk, ReportState.DECIDED, Outcome.DISMISSED)
    assert report(people.dave, target, why=SPAM, client_id=uuid.uuid4()).pk != first.pk
    assert report(people.gil, target, why=SPAM, client_id=client_id).pk != first.pk


def test_one_client_id_for_two_reports_at_once_is_one_report(people):
    client_id = uuid.uuid4()
    targets = [Target(message_id=said(people)), Target(room_id=people.room.pk)]
    acts = [
        lambda target=target: report(people.dave, target, why=SPAM, client_id=client_id) for target in targets
    ]
    assert at_once(*acts) == ["ok", "ok"]
    assert Report.objects.filter(reporter=people.dave, client_id=client_id).count() == 1


def test_evidence_is_kept_as_it_was_with_the_edits_before(people):
    message = said(people, body="first")
    messages.edit_message(people.bob, message, body="second")
    number = reported(people, message=message)
    messages.edit_message(people.bob, message, body="harmless")
    messages.delete_message(people.bob, message)
    evidence = Evidence.objects.get(report=number)
    assert (evidence.body, evidence.author) == ("second", people.bob)
    assert [edit["body"] for edit in evidence.edits] == ["first"]
    stored = Message.objects.get(pk=message)
    assert evidence.written_at < stored.edited_at < stored.deleted_at


def test_what_moderators_are_hinted_goes_to_those_who_may_decide(people):
    heard = []
    listen = lambda users, kind, data: heard.append((set(users), kind, data))  # noqa: E731
    reports.notices.on_told(listen)
    try:
        reported(people)
        reported(people, message=said(people, by=people.alice))
    finally:
        reports.notices._listeners.remove(listen)
    data = {"room": people.room.pk}
    everyone, but_alice = {people.olga.pk, people.alice.pk}, {people.olga.pk}
    assert heard == [(everyone, "report.waiting", data), (but_alice, "report.waiting", data)]


# --- deciding ----------------------------------------------------------------------------------------


def test_the_rooms_moderators_and_permitted_staff_decide_and_to_others_there_is_no_report(people):
    number = reported(people)
    expected = told(ok="alice olga maude", not_found="bob carol mona stan gil dave")
    assert answers(people, lambda user: decide_report(user, number, outcome="upheld")) == expected
    assert answers(people, lambda user: assign_report(user, number, assignee=None)) == expected
    site = report(people.dave, Target(user_id=people.bob.pk), why=SPAM).pk
    found = answers(people, lambda user: decide_report(user, site, outcome="upheld"))
    assert found == told(ok="maude", not_found="bob carol alice mona olga stan gil dave")


def test_staff_decides_in_a_private_room_only_with_the_right_to_look_into_it(committed_db):
    people = desk(kind="private")
    number = reported(people, by=people.carol)
    assert code_of(decide_report, people.maude, number, outcome="upheld") == Code.NOT_FOUND
    inspector = staff("ida", access.HANDLE_REPORTS, access.VIEW_PRIVATE)
    assert decide_report(inspector, number, outcome="upheld").decided_by == inspector


def test_nobody_decides_or_is_given_a_report_about_themselves(people):
    about_alice = reported(people, message=said(people, by=people.alice))
    found = answers(people, lambda user: decide_report(user, about_alice, outcome="dismissed"))
    assert found == told(ok="olga maude", not_found="bob carol alice mona stan gil dave")
    members.join_room(people.maude, people.room.pk)
    about_maude = reported(people, message=said(people, by=people.maude))
    assert code_of(decide_report, people.maude, about_maude, outcome="dismissed") == Code.NOT_FOUND
    for assignee in (people.alice, people.bob, people.mona, people.stan):
        refusal = refused(assign_report, people.olga, about_alice, assignee=assignee)
        assert (refusal.code, list(refusal.fields)) == (Code.INVALID, ["assignee"])
    decide_report(people.olga, about_alice, outcome="dismissed")
    assert code_of(undo_action, people.alice, last_action().pk) in {Code.NOT_FOUND, Code.FORBIDDEN}


def test_a_report_is_given_to_someone_put_back_and_decided_by_whoever_comes_first(people):
    number = reported(people)
    assert assign_report(people.alice, number, assignee=people.olga).state == ReportState.ASSIGNED
    assert Report.objects.get(pk=number).assignee == people.olga
    assert assign_report(people.alice, number, assignee=None).state == ReportState.OPEN
    assign_report(people.olga, number, assignee=people.alice)
    decide_report(people.olga, number, outcome=Outcome.UPHELD)
    decided = Report.objects.get(pk=number)
    assert (decided.assignee, decided.decided_by) == (people.alice, people.olga)
    assert code_of(assign_report, people.olga, number, assignee=None) == Code.CONFLICT
    assert list(refused(decide_report, people.olga, number, outcome="maybe").fields) == ["outcome"]


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told_by_whom(people):
    number = reported(people)
    acts = [
        lambda: decide_report(people.alice, number, outcome="upheld"),
        lambda: decide_report(people.maude, number, outcome="dismissed"),
    ]
    assert sorted(at_once(*acts)) == ["conflict", "ok"]
    by = Report.objects.get(pk=number).decided_by
    assert by.display_name in refused(decide_report, people.olga, number, outcome="upheld").message
    assert [notice["kind"] for notice in notices_of(people.dave)] == ["report.decided"]


@pytest.mark.parametrize("outcome", Outcome.values)
def test_the_reporter_is_told_the_outcome_and_nobody_else(people, outcome):
    number = reported(people)
    decide_report(people.alice, number, outcome=outcome, why=Why("spam", "between us"))
    (notice,) = notices_of(people.dave)
    assert notice == {
        "kind": "report.decided",
        "report": number,
        "outcome": outcome,
        "room": people.room.pk,
    }
    assert notices_of(people.bob) == []


# --- hidden for review -----------------------------------------------------------------------------------


def test_after_so_many_reports_a_message_is_hidden_until_the_last_is_dismissed(people):
    hide_after(people, 2)
    message = said(people)
    first = reported(people, message=message)
    assert shown(message)
    assert reported(people, message=message) == first and shown(message)  # the same person again
    second = reported(people, by=people.gil, message=message)
    assert not shown(message)
    assert snapshots.message_page(people.olga, people.room.pk).results[-1].body == ""
    assert last_action().actor is None
    assert code_of(messages.restore_message, people.bob, message) == Code.FORBIDDEN
    decide_report(people.alice, first, outcome=Outcome.DISMISSED)
    assert not shown(message)
    decide_report(people.alice, second, outcome=Outcome.DISMISSED)
    assert shown(message)
    undo_action(people.olga, last_action().pk)
    assert not shown(message)


def test_what_was_found_right_stays_hidden_whatever_else_is_dismissed(people):
    hide_after(people, 2)
    message = said(people)
    first, second = (reported(people, by=by, message=message) for by in (people.dave, people.gil))
    decide_report(people.alice, first, outcome=Outcome.UPHELD)
    decide_report(people.alice, second, outcome=Outcome.DISMISSED)
    assert not shown(message)


def test_what_a_moderator_has_removed_or_restored_meanwhile_is_theirs(people):
    hide_after(people, 1)
    gone, back = said(people), said(people)
    first, second = (reported(people, message=message) for message in (gone, back))
    messages.restore_message(people.alice, gone)
    messages.delete_message(people.alice, gone)
    messages.restore_message(people.alice, back)
    decide_report(people.olga, first, outcome=Outcome.DISMISSED)
    decide_report(people.olga, second, outcome=Outcome.DISMISSED)
    assert (shown(gone), shown(back)) == (False, True)


def test_decided_reports_do_not_count_towards_hiding(people):
    hide_after(people, 2)
    message = said(people)
    decide_report(people.alice, reported(people, message=message), outcome=Outcome.DISMISSED)
    reported(people, by=people.gil, message=message)
    assert shown(message)
    reported(people, by=people.carol, message=message)
    assert not shown(message)


def test_reports_at_once_hide_a_message_once(people):
    hide_after(people, 2)
    message = said(people)
    reporters = [person(f"r{number}") for number in range(4)]
    acts = [lambda by=by: report(by, Target(message_id=message), why=SPAM) for by in reporters]
    # Who comes after it was hidden finds nothing there any more.
    assert sorted(at_once(*acts)) == ["conflict", "conflict", "ok", "ok"]
    assert Report.objects.filter(message=message, hid=True).count() == 1
    assert not shown(message)
