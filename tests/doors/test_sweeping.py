"""Ban and clean up: what is taken away in one step, and comes back in one."""

import uuid
from datetime import timedelta

import pytest

from chat import access, log, snapshots
from chat.actions import members, messages, sweeping
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.actions.sweeping import ban_and_clean_up
from chat.actions.undo import undo_action
from chat.models import Message, ModerationAction, Sanction
from chat.payloads import encode
from chatproject.database import clock
from chatproject.errors import Code
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
    state_of,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db) -> Desk:
    made = desk()
    for user in (made.bob, made.mona):
        for room in (made.room, made.elsewhere):
            members.join_room(user, room.pk)
    return made


def spam(people, count=3, user=None):
    """Messages before and after a moment, here and elsewhere: the moment, and those after it by room."""
    user = user or people.bob
    post(user, people.room, "before")
    since = clock()
    return since, [
        [post(user, room, f"spam {number}").message_id for number in range(count)]
        for room in (people.room, people.elsewhere)
    ]


def shown(*rooms):
    return set(Message.objects.filter(room__in=rooms, deleted_at=None).values_list("pk", flat=True))


def clean_up(by, people, since, room=None, **more):
    return ban_and_clean_up(by, people.bob.pk, since=since, room_id=room and room.pk, why=SPAM, **more)


def test_who_may_ban_and_remove_messages_there_may_clean_up(people):
    since, _ = spam(people)
    found = answers(people, lambda user: clean_up(user, people, since, people.room))
    assert found == told(ok="alice olga maude", forbidden="bob carol mona stan gil dave")
    found = answers(people, lambda user: clean_up(user, people, since))
    assert found == told(ok="maude", forbidden="bob carol alice mona olga stan gil dave")


def test_a_ban_alone_is_no_right_to_remove_messages(people):
    since, _ = spam(people)
    for only in (access.SANCTION, access.MODERATE):
        one = staff("sue", only)
        assert {code_of(clean_up, one, people, since, room) for room in (None, people.room)} == {"forbidden"}


def test_how_much_someone_wrote_is_told_to_nobody_else(people, monkeypatch):
    monkeypatch.setattr(sweeping, "MAX_SWEPT", 2)
    since, _ = spam(people)
    found = answers(people, lambda user: clean_up(user, people, since, people.room))
    assert found == told(too_large="alice olga maude", forbidden="bob carol mona stan gil dave")
    state = state_of(people)
    assert refused(clean_up, people.maude, people, since).code == Code.TOO_LARGE
    assert state_of(people) == state


def test_in_a_room_what_was_written_there_since_goes_and_nothing_else(people):
    since, (here, _there) = spam(people)
    others = post(people.olga, people.room, "mine").message_id
    before = shown(people.room, people.elsewhere)
    clean_up(people.alice, people, since, people.room)
    assert before - shown(people.room, people.elsewhere) == set(here)
    assert others in shown(people.room)
    assert code_of(post, people.bob, people.room) == Code.BANNED
    assert post(people.bob, people.elsewhere)


def test_everywhere_it_goes_from_all_rooms_and_the_undo_brings_back_exactly_these(people):
    since, (here, there) = spam(people)
    messages.delete_message(people.alice, here[0])  # by another moderator, before
    messages.delete_message(people.bob, there[0])  # by the author
    before = shown(people.room, people.elsewhere)
    action = clean_up(people.maude, people, since)
    assert before - shown(people.room, people.elsewhere) == {*here[1:], *there[1:]}
    assert code_of(post, people.bob, people.elsewhere) == Code.BANNED
    undo_action(people.maude, action.pk)
    assert shown(people.room, people.elsewhere) == before
    assert post(people.bob, people.room)


def test_what_was_restored_or_taken_away_by_hand_since_stays_so(people):
    since, (here, _there) = spam(people, count=5)
    action = clean_up(people.alice, people, since, people.room)
    messages.restore_message(people.alice, here[0])
    messages.restore_message(people.alice, here[1])
    messages.delete_message(people.olga, here[1])
    messages.restore_message(people.alice, here[2])
    messages.delete_message(people.alice, here[2])  # by the same hand, for itself
    before = shown(people.room)
    events = head_of(people.room)
    undo_action(people.alice, action.pk)
    assert shown(people.room) - before == set(here[3:])
    restored = [event for event in log.read_after(people.room.pk, events, 100) if event.message_id]
    assert [event.message_id for event in restored] == here[3:]


def test_after_the_ban_is_over_by_itself_the_messages_still_come_back(people):
    since, (here, _there) = spam(people)
    action = clean_up(people.alice, people, since, people.room, until=clock() + timedelta(hours=1))
    end_by_itself(people.bob)
    undo_action(people.alice, action.pk)
    assert set(here) <= shown(people.room)
    undo_action(people.alice, last().pk)
    assert not set(here) & shown(people.room)
    assert not Sanction.objects.in_force().filter(user=people.bob).exists()


def test_a_ban_that_was_lifted_since_is_not_overlooked(people):
    since, _ = spam(people)
    action = clean_up(people.alice, people, since, people.room)
    lift_sanction(people.alice, Sanction.objects.in_force().get(user=people.bob).pk)
    assert code_of(undo_action, people.alice, action.pk) == Code.CONFLICT
    undo_action(people.alice, last().pk)
    assert undo_action(people.alice, action.pk)


def test_what_is_cleaned_up_is_at_no_cursor_and_in_no_preview(people):
    since, _ = spam(people)
    clean_up(people.maude, people, since)
    for room in (people.room, people.elsewhere):
        events = b"".join(encode(event.payload) for event in log.read_after(room.pk, 0, 1000))
        page = encode(snapshots.message_page(people.olga, room.pk))
        previews = [each.preview for each in snapshots.room_list(people.olga)[0] if each.id == room.pk]
        assert all(b"spam" not in text for text in (events, page, encode(previews)))


def test_two_who_clean_up_at_once_across_the_same_rooms_do_not_wait_for_each_other(people):
    since, _ = spam(people)
    spam(people, user=people.mona)
    acts = [
        lambda: clean_up(people.maude, people, since),
        lambda: ban_and_clean_up(staff("rob", superuser=True), people.mona.pk, since=since, why=SPAM),
        lambda: clean_up(people.alice, people, since, people.room),
    ]
    assert at_once(*acts) == ["ok"] * 3
    assert Message.objects.filter(author=people.bob, created_at__gte=since, deleted_at=None).count() == 0


def test_messages_of_a_second_clean_up_are_those_that_the_first_left(people):
    since, (here, _there) = spam(people)
    first = clean_up(people.alice, people, since, people.room)
    messages.restore_message(people.alice, here[0])
    second = clean_up(people.alice, people, since, people.room)
    assert (first.after["removed"], second.after["removed"]) == (here, [here[0]])


def head_of(room):
    return type(room).objects.get(pk=room.pk).last_seq


def last():
    return ModerationAction.objects.latest("id")


def test_a_clean_up_sent_again_is_the_one_made_before(people):
    since, _ = spam(people)
    client_id = uuid.uuid4()
    first = clean_up(people.alice, people, since, people.room, client_id=client_id)
    undo_action(people.alice, first.pk, why=SPAM)
    state = state_of(people)
    assert clean_up(people.alice, people, since, people.room, client_id=client_id) == first
    assert state_of(people) == state


def test_a_clean_up_sent_twice_at_once_is_made_once(people):
    since, _ = spam(people)
    client_id = uuid.uuid4()
    act = lambda: clean_up(people.maude, people, since, client_id=client_id)  # noqa: E731
    assert at_once(act, act) == ["ok", "ok"]
    assert ModerationAction.objects.filter(kind=sweeping.CLEANED_UP, subject=people.bob.pk).count() == 1


def test_the_client_id_of_a_ban_alone_is_not_one_of_a_clean_up(people):
    since, _ = spam(people)
    client_id = uuid.uuid4()
    sanction_person(
        people.alice, people.bob.pk, kind="ban", room_id=people.room.pk, why=SPAM, client_id=client_id
    )
    refusal = refused(clean_up, people.alice, people, since, people.room, client_id=client_id)
    assert (refusal.code, list(refusal.fields)) == (Code.CONFLICT, ["client_id"])
