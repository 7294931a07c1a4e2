"""The audit: one row for each action, in a chain that shows every change made by hand."""

import io
import json
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from chat import audit
from chat.actions import members, messages, reports, rules, sanctions
from chat.actions.undo import undo_action
from chat.models import ActionNote, ModerationAction, RuleAction
from tests.deeds import SCENARIOS, SPAM, rule, said
from tests.desk import Desk, at_once, desk, last_action, post

pytestmark = pytest.mark.usefixtures("committed_db")
WRITERS, TURNS = 8, 6


@pytest.fixture
def people(committed_db) -> Desk:
    return desk()


def rows_of(act):
    """The rows that ``act`` leaves."""
    last = ModerationAction.objects.order_by("-id").values_list("id", flat=True).first() or 0
    act()
    return list(ModerationAction.objects.filter(id__gt=last).order_by("id"))


@pytest.mark.parametrize(("kind", "about", "way"), SCENARIOS, ids=[f"{k} {a}" for k, a, _ in SCENARIOS])
def test_an_action_leaves_one_row_with_ids_and_settings_and_the_text_of_nobody(people, kind, about, way):
    do = way(people)
    (row,) = rows_of(do)
    assert row.kind == kind and row.actor is not None and row.undoes is None
    assert row.before != row.after
    (back,) = rows_of(lambda: undo_action(row.actor if about != "overruling" else people.olga, row.pk))
    for each in (row, back):
        plain = json.dumps([each.before, each.after, each.target, each.kind])
        assert "unsayable" not in plain and people.bob.display_name not in plain
    assert audit.verify().broken_at is None


def test_what_people_do_with_their_own_words_and_seats_is_not_recorded(people):
    message = post(people.bob, people.room).message_id
    moderators_own = post(people.alice, people.room).message_id

    def own():
        messages.edit_message(people.bob, message, body="other")
        messages.delete_message(people.bob, message)
        messages.restore_message(people.bob, message)
        messages.delete_message(people.alice, moderators_own)
        messages.restore_message(people.alice, moderators_own)
        members.join_room(people.dave, people.room.pk)
        members.leave_room(people.dave, people.room.pk)
        members.add_member(people.alice, people.room.pk, display_name=people.dave.display_name)
        reports.report(people.dave, reports.Target(message_id=message), why=SPAM)

    assert rows_of(own) == []


def test_what_changes_nothing_leaves_no_row(people):
    message = said(people)
    number = reports.report(people.dave, reports.Target(message_id=message), why=SPAM).pk
    saved = rules.save_rule(people.maude, None, rule(people))
    messages.delete_message(people.alice, message)

    def nothing():
        messages.delete_message(people.alice, message)
        members.change_role(people.olga, people.room.pk, people.bob.pk, role="member")
        reports.assign_report(people.alice, number, assignee=None)
        rules.save_rule(people.maude, saved.pk, rule(people))

    assert rows_of(nothing) == []


def test_a_role_that_someone_is_added_with_is_recorded_and_taken_back(people):
    name = people.dave.display_name
    (row,) = rows_of(
        lambda: members.add_member(people.olga, people.room.pk, display_name=name, role="moderator")
    )
    assert (row.kind, row.before, row.after) == (
        "member.role_changed",
        {"role": "member"},
        {"role": "moderator"},
    )
    undo_action(people.olga, row.pk)
    assert people.room.memberships.get(user=people.dave).role == "member"


def test_automod_is_recorded_without_an_actor_and_can_be_taken_back(people):
    saved = rules.save_rule(people.maude, None, rule(people, action=RuleAction.HIDE, live=True))
    (row,) = rows_of(lambda: post(people.bob, people.room, "xyzzy unsayable"))
    assert (row.kind, row.actor, row.subject) == ("message.deleted", None, people.bob)
    assert "unsayable" not in json.dumps([row.before, row.after])
    assert undo_action(people.alice, row.pk)
    rules.save_rule(people.maude, saved.pk, rule(people, removed=True))


def test_the_moderators_own_words_are_kept_beside_the_chain_and_can_be_erased(people):
    sanctions.sanction_person(people.alice, people.bob.pk, kind="warn", room_id=people.room.pk, why=SPAM)
    action = last_action()
    assert (action.category, action.note.text) == ("spam", SPAM.text)
    with transaction.atomic():
        ActionNote.objects.filter(action=action).delete()
        assert audit.verify().broken_at is None
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chat_moderationaction SET category = 'spam' WHERE id = %s",
        "UPDATE chat_moderationaction SET request_id = request_id WHERE id = %s",
        "DELETE FROM chat_moderationaction WHERE id = %s",
        "TRUNCATE chat_moderationaction CASCADE",
    ],
)
def test_the_database_refuses_every_change_of_a_row(people, statement):
    row = last_action()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement, [row.pk] if "%s" in statement else [])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    assert ModerationAction.objects.filter(pk=row.pk).exists()


COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "actor_id": "subject_id",
    "kind": "'room.updated'",
    "room_id": "NULL",
    "subject_id": "actor_id",
    "target": "target || '1'",
    "category": "'hate'",
    "before": "after",
    "after": "before",
    "undoes_id": "id",
    "request_id": "'other'",
    "previous": "sha256(digest)",
    "digest": "previous",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_row_that_is_changed_by_hand_is_found(people, column):
    sanctions.sanction_person(people.alice, people.bob.pk, kind="mute", room_id=people.room.pk, why=SPAM)
    row = last_action()
    sanctions.sanction_person(people.alice, people.bob.pk, kind="warn", room_id=people.room.pk)
    found = tampered(f"UPDATE chat_moderationaction SET {column} = {COLUMNS[column]} WHERE id = %s", row.pk)
    assert found[0].broken_at == row.pk
    assert f"broken at action {row.pk}" in found[1]


def test_a_row_that_is_taken_out_or_put_in_by_hand_is_found(people):
    ids = list(ModerationAction.objects.order_by("-id").values_list("id", flat=True)[:3])
    assert tampered("DELETE FROM chat_moderationaction WHERE id = %s", ids[1])[0].broken_at == ids[0]
    first = ModerationAction.objects.earliest("id").pk
    after_first = ModerationAction.objects.filter(id__gt=first).earliest("id").pk
    assert tampered("DELETE FROM chat_moderationaction WHERE id = %s", first)[0].broken_at == after_first
    put_in = """
        INSERT INTO chat_moderationaction
            (at, kind, target, category, before, after, request_id, previous, digest)
        SELECT at, kind, target, category, before, after, request_id, digest, sha256(digest)
          FROM chat_moderationaction WHERE id = %s
    """
    assert tampered(put_in, ids[0])[0].broken_at > ids[0]


def test_a_cut_off_end_is_found_by_a_head_that_was_kept(people):
    head = audit.verify().head
    assert f"Head: {head}" in verified() and "unbroken" in verified("--head", head)
    last = last_action().pk
    cut_off = "DELETE FROM chat_moderationaction WHERE id = %s"
    assert tampered(cut_off, last)[0].broken_at is None
    assert "cut off" in tampered(cut_off, last, "--head", head)[1]
    for head in ("00" * 31, "not a digest", "ab" * 32):
        with pytest.raises(CommandError, match="no longer in the chain"):
            verified("--head", head)


def test_writers_at_once_in_several_rooms_make_one_chain(committed_db):
    desks = [desk() for _ in range(WRITERS // 2)]
    before = audit.verify()

    def moderate(number):
        people = desks[number % len(desks)]
        actor, target = (people.alice, people.bob) if number < len(desks) else (people.maude, people.gil)
        for turn in range(TURNS):
            room = people.room.pk if turn % 3 else None if actor is people.maude else people.room.pk
            sanction = sanctions.sanction_person(actor, target.pk, kind="mute", room_id=room, why=SPAM)
            message = post(people.olga, people.room, str(uuid.uuid4())).message_id
            messages.delete_message(people.maude, message)
            sanctions.lift_sanction(actor, sanction.pk)
            undo_action(
                people.maude, last_action(actor=people.maude, room=people.room, kind="message.deleted").pk
            )

    ends = at_once(*(lambda number=number: moderate(number) for number in range(WRITERS)))
    # Two who take back the same deletion: one is told so.
    assert set(ends) <= {"ok", "conflict"}, ends
    after = audit.verify()
    assert after.broken_at is None
    assert after.count >= before.count + WRITERS * 3


def verified(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def tampered(statement: str, row: int, *arguments: str) -> tuple[audit.Verdict, str]:
    """What is found after a change behind the trigger's back, which is rolled back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, [row])
            assert cursor.rowcount == 1
        verdict = audit.verify()
        try:
            words = verified(*arguments)
        except CommandError as error:
            words = str(error)
        transaction.set_rollback(True)
    return verdict, words
