"""Automod at work: each kind of rule and each action, through the send."""

import uuid
from datetime import timedelta

import pytest

from chat import snapshots
from chat.actions import messages, sanctions
from chat.actions.drafts import Draft, Held, Posted
from chat.actions.posting import post_messages
from chat.models import (
    AutomodHit,
    HeldMessage,
    Message,
    Report,
    RuleAction,
    RuleKind,
    Sanction,
)
from chatproject.errors import AppError, Code
from tests.automod import rule, ruled_desk, send, short
from tests.cast import person
from tests.desk import answers, code_of, notices_of, post, refused, told

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db):
    with ruled_desk() as made:
        yield made


# kind, fields, what matches by itself, what does not
ALONE = [
    (
        RuleKind.WORDS,
        {"words": "buy now\nxyzzy"},
        ["say XYZZY!", "buy   now", "x\u200byzzy"],
        ["xyzzys", "buy"],
    ),
    (RuleKind.PATTERN, {"pattern": r"\d{4}-\d{4}"}, ["call 1234-5678"], ["1234 5678"]),
    (
        RuleKind.LINKS_DENIED,
        {"words": "bad.example"},
        ["https://www.bad.example/x"],
        ["https://good.example"],
    ),
    (
        RuleKind.LINKS_ALLOWED,
        {"words": "good.example"},
        ["https://bad.example"],
        ["https://good.example"],
    ),
    (RuleKind.MENTIONS, {"threshold": 2}, ["@a @b @c"], ["@a @b"]),
    (RuleKind.EMOJI, {"threshold": 2}, ["\U0001f600\U0001f600\U0001f600"], ["\U0001f600\U0001f600", "..."]),
]


@pytest.mark.parametrize("action", RuleAction.values)
@pytest.mark.parametrize(("kind", "fields", "matching", "others"), ALONE, ids=[each[0] for each in ALONE])
def test_a_message_that_matches_by_itself(people, kind, fields, matching, others, action):
    rule(people, kind, action, **fields)
    for body in matching:
        check_action(people, action, body)
    for body in others:
        assert short([post(people.bob, people.room, body)]) == ["Posted"]
    assert AutomodHit.objects.filter(room=people.room).count() == len(matching)


# kind, fields, messages of one author: the last of them matches
IN_A_ROW = [
    (RuleKind.FIRST_LINKS, {"threshold": 2}, ["hello", "https://a.example"]),
    (RuleKind.REPETITION, {"threshold": 1, "seconds": 60}, ["Same", "other", "same!", "S A M E"]),
    (RuleKind.FLOOD, {"threshold": 3, "seconds": 60}, ["1", "2", "3", "4"]),
]


@pytest.mark.parametrize("action", RuleAction.values)
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(("kind", "fields", "bodies"), IN_A_ROW, ids=[each[0] for each in IN_A_ROW])
def test_a_message_that_matches_by_what_was_written_before(people, kind, fields, bodies, batched, action):
    rule(people, kind, action, **fields)
    author = person("newcomer")
    *before, last = bodies
    if batched:
        outcomes = send(people, *bodies, user=author)
    else:
        outcomes = [post(author, people.room, body) for body in bodies]
    assert short(outcomes[:-1]) == ["Posted"] * len(before)
    check_outcome(people, action, outcomes[-1], last, author)
    hit = AutomodHit.objects.get(room=people.room)
    assert (hit.author, hit.action) == (author, action)
    assert (hit.held or hit.message).body == last


def check_action(people, action, body):
    check_outcome(people, action, post(people.bob, people.room, body), body, people.bob)
    for each in Sanction.objects.in_force().filter(user=people.bob, room=people.room):
        sanctions.lift_sanction(people.alice, each.pk)


def check_outcome(people, action, outcome, body, author):
    """What an action does, all of it, and nothing of the others."""
    waits = action in {RuleAction.HOLD, RuleAction.MUTE}
    assert isinstance(outcome, Held if waits else Posted)
    assert HeldMessage.objects.filter(room=people.room, body=body, state="waiting").exists() == waits
    written = Message.objects.filter(room=people.room, body=body).last()
    assert (written is None) == waits
    hidden = written is not None and written.deleted_at is not None
    assert hidden == (action == RuleAction.HIDE)
    kinds = set(
        Sanction.objects.in_force().filter(user=author, room=people.room).values_list("kind", flat=True)
    )
    assert kinds == {"mute": {"mute"}, "warn": {"warn"}}.get(action, set())
    reported = set(Report.objects.filter(room=people.room).values_list("message", flat=True))
    assert (written is not None and written.pk in reported) == (action == RuleAction.REPORT)
    told_of = [notice["kind"] for notice in notices_of(author)]
    assert ("sanctioned" in told_of) == bool(kinds)


def test_rules_do_not_bind_who_moderates(people):
    rule(people)
    found = answers(people, lambda user: refuse_held(post(user, people.room, "xyzzy")))
    assert found == told(ok="alice olga maude", conflict="bob mona stan gil dave", muted="carol")


def refuse_held(outcome):
    if isinstance(outcome, Held):
        raise AppError(Code.CONFLICT)


def test_rules_of_another_room_and_those_at_rest_do_not_bind(people):
    rule(people, words="plugh", room_id=people.elsewhere.pk)
    rule(people, words="quux", live=False)
    rule(people, RuleKind.FLOOD, threshold=1, seconds=60, room_id=people.elsewhere.pk)
    assert short(send(people, "plugh", "quux", "1", "2")) == ["Posted"] * 4
    assert isinstance(post(people.bob, people.elsewhere, "plugh"), Held)


def test_a_rule_without_a_room_binds_in_each(people):
    rule(people, words="frobozz", room_id=None)
    for room in (people.room, people.elsewhere):
        assert isinstance(post(people.bob, room, "frobozz"), Held)


def test_of_several_rules_the_strictest_holds_and_each_is_recorded(people):
    rule(people, action=RuleAction.REPORT)
    mute = rule(people, action=RuleAction.MUTE, mute_minutes=7)
    hold = rule(people, action=RuleAction.HOLD)
    assert short(send(people, "xyzzy")) == ["Held"]
    assert AutomodHit.objects.filter(room=people.room).count() == 3
    assert HeldMessage.objects.get(room=people.room).rule == hold
    sanction = Sanction.objects.in_force().get(user=people.bob)
    assert sanction.ends_at - sanction.created_at == timedelta(minutes=mute.mute_minutes)
    assert (sanction.by, sanction.reason) == (None, "Automatic: Rule")


def test_muted_by_the_first_of_a_batch_the_author_is_refused_the_rest_with_the_reason(people):
    rule(people, action=RuleAction.MUTE)
    drafts = [Draft(people.bob, uuid.uuid4(), "fine"), Draft(people.bob, uuid.uuid4(), "xyzzy")]
    drafts += [Draft(people.bob, uuid.uuid4(), "too late"), Draft(people.dave, uuid.uuid4(), "other")]
    outcomes = post_messages(people.room.pk, drafts)
    assert short(outcomes) == ["Posted", "Held", "muted", "Posted"]
    assert outcomes[2].fields == {"reason": ["Something else: Automatic: Rule"]}
    assert refused(post, people.bob, people.room).code == Code.MUTED


def test_a_hidden_message_is_never_shown_to_anybody(people):
    rule(people, action=RuleAction.HIDE)
    (outcome,) = send(people, "xyzzy secret")
    page = snapshots.message_page(people.olga, people.room.pk)
    assert (page.results[-1].id, page.results[-1].body) == (outcome.message_id, "")
    assert snapshots.my_room(people.olga, people.room.pk).unread == 0
    assert code_of(messages.restore_message, people.bob, outcome.message_id) == Code.FORBIDDEN
    assert messages.restore_message(people.alice, outcome.message_id)


def test_an_edit_to_what_would_be_held_or_hidden_is_blocked(people):
    for action in RuleAction.values:
        rule(people, action=action, words=f"word-{action}")
    message = post(people.bob, people.room, "fine").message_id
    own = post(people.alice, people.room, "fine").message_id
    for action in RuleAction.values:
        edit = lambda action=action: messages.edit_message(people.bob, message, body=f"word-{action}")  # noqa: E731
        if action in {RuleAction.HOLD, RuleAction.MUTE, RuleAction.HIDE}:
            assert refused(edit).code == Code.BLOCKED_CONTENT
        else:
            assert edit()
        assert messages.edit_message(people.alice, own, body=f"word-{action}")
