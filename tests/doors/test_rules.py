"""Rules of automod: who writes them, when they are in force, and what they cost a send."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from chat.actions import members, messages, posting, rules, ruleset
from chat.actions.drafts import Draft
from chat.actions.posting import post_messages
from chat.actions.rules import RuleFields, save_rule
from chat.actions.ruleset import MAX_EARLIER, reload_rules
from chat.actions.undo import undo_action
from chat.models import (
    Message,
    ModerationAction,
    RuleAction,
    RuleKind,
)
from chatproject.errors import Code
from tests.automod import rule, ruled_desk, send, short
from tests.desk import answers, at_once, code_of, last_action, post, refused, told

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def people(committed_db):
    with ruled_desk() as made:
        yield made


def behind(monkeypatch):
    """Makes this process one that does not know of changes: what it has compiled stays."""
    kept = reload_rules()
    return lambda: monkeypatch.setattr(ruleset, "_cached", kept)


def test_a_change_is_in_force_with_the_next_message_in_a_process_that_knew_the_old_rules(people, monkeypatch):
    forget = behind(monkeypatch)
    made = rule(people)
    forget()
    assert short(send(people, "xyzzy")) == ["Held"]
    forget = behind(monkeypatch)
    wanted = RuleFields("Rule", RuleKind.WORDS, RuleAction.HOLD, people.room.pk, words="plugh", live=True)
    save_rule(people.maude, made.pk, wanted)
    forget()
    assert short(send(people, "xyzzy", "plugh")) == ["Posted", "Held"]
    message = Message.objects.get(room=people.room)
    forget()
    assert code_of(messages.edit_message, people.bob, message.pk, body="plugh") == Code.BLOCKED_CONTENT
    forget = behind(monkeypatch)
    save_rule(people.maude, made.pk, RuleFields(**{**plain(wanted), "live": False, "removed": True}))
    forget()
    assert short(send(people, "plugh")) == ["Posted"]


def plain(fields):
    return {name: getattr(fields, name) for name in RuleFields.__slots__}


def test_a_draft_of_a_rule_makes_no_process_read_anything(people):
    version = ruleset.current_version()
    made = rule(people, live=False)
    assert ruleset.current_version() == version
    save_rule(people.maude, made.pk, RuleFields("Rule", RuleKind.WORDS, RuleAction.HOLD, None, words="y"))
    assert ruleset.current_version() == version


def test_rules_that_never_stand_still_delay_a_send_and_lose_nothing(people, monkeypatch):
    rule(people)
    monkeypatch.setattr(posting, "reload_rules", lambda: None)
    old = reload_rules()
    monkeypatch.setattr(posting, "live_rules", lambda: old)
    rule(people, words="plugh")
    refusal = refused(post, people.bob, people.room)
    assert (refusal.code, refusal.retry) == (Code.UNAVAILABLE, True)
    monkeypatch.undo()
    assert post(people.bob, people.room)


def test_sends_while_rules_change_are_screened_with_those_in_force(people):
    """Under the lock the version is compared: what is sent after a rule was saved is held by it."""
    saved = []

    def change():
        for number in range(4):
            try:
                rule(people, words=f"w{number}")
            finally:
                saved.append(number)

    def write():
        while len(saved) < 4:
            known = len(saved)
            outcomes = send(people, *(f"w{number}" for number in range(known)), user=people.dave)
            assert short(outcomes) in (["Held"] * known, ["rate_limited"] * known) or "Posted" not in short(
                outcomes
            )

    assert at_once(change, write) == ["ok", "ok"]


@pytest.mark.parametrize("size", [1, 40])
def test_the_round_trips_of_a_send_do_not_grow_with_the_batch_under_rules_that_look_back(people, size):
    rule(people, RuleKind.FLOOD, RuleAction.REPORT, threshold=100, seconds=60)
    rule(people, RuleKind.REPETITION, RuleAction.REPORT, threshold=100, seconds=600)
    rule(people, RuleKind.FIRST_LINKS, RuleAction.REPORT, threshold=100)
    authors = [people.bob, people.dave, people.mona]
    for user in authors:
        members.join_room(user, people.room.pk)
    drafts = [Draft(authors[n % 3], uuid.uuid4(), f"m{n}") for n in range(size)]
    reload_rules()
    with CaptureQueriesContext(connection) as captured:
        post_messages(people.room.pk, drafts)
    # the four of every send, earlier messages, those that wait, how many there were
    assert len(captured) == 7, [query["sql"][:90] for query in captured.captured_queries]


def test_what_others_write_hides_no_flood(people, monkeypatch):
    monkeypatch.setattr("chat.actions.screening.MAX_EARLIER", 5)
    rule(people, RuleKind.FLOOD, threshold=2, seconds=600)
    send(people, "1", "2", user=people.dave)
    send(people, *map(str, range(20)), user=people.alice)
    drafts = [Draft(user, uuid.uuid4(), "3") for user in (people.alice, people.dave)]
    assert short(post_messages(people.room.pk, drafts)) == ["Posted", "Held"]


def test_what_was_written_before_the_time_of_a_rule_does_not_count(people):
    rule(people, RuleKind.FLOOD, threshold=2, seconds=60)
    send(people, "1", "2")
    Message.objects.filter(room=people.room).update(created_at=F("created_at") - timedelta(seconds=61))
    assert short(send(people, "3", "4", "5")) == ["Posted", "Posted", "Held"]


def test_what_waits_counts_as_written(people):
    rule(people, RuleKind.REPETITION, threshold=1, seconds=60)
    assert short(send(people, "same", "same", "same")) == ["Posted", "Posted", "Held"]
    assert short([post(people.bob, people.room, "same")]) == ["Held"]
    rule(people, RuleKind.FLOOD, RuleAction.MUTE, threshold=4, seconds=60)
    assert short([post(people.bob, people.room, "fifth")]) == ["Held"]
    assert code_of(post, people.bob, people.room) == Code.MUTED


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        (RuleKind.WORDS, {"words": " \n"}, "words"),
        (RuleKind.WORDS, {"words": "\n".join(f"w{n}" for n in range(10_001))}, "words"),
        (RuleKind.PATTERN, {"pattern": "("}, "pattern"),
        (RuleKind.PATTERN, {"pattern": "a*"}, "pattern"),
        (RuleKind.LINKS_DENIED, {"words": "not a domain"}, "words"),
        (RuleKind.FLOOD, {"threshold": 0, "seconds": 9}, "threshold"),
        (RuleKind.FLOOD, {"threshold": 3, "seconds": 0}, "seconds"),
        (RuleKind.FLOOD, {"threshold": MAX_EARLIER, "seconds": 9}, "threshold"),
        (RuleKind.WORDS, {"mute_minutes": 0}, None),
        (RuleKind.WORDS, {"room_id": 2**40}, "room"),
        ("unheard-of", {"words": "x"}, "kind"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_and_nothing_is_left_of_it(people, kind, fields, wrong):
    before = (rules.AutomodRule.objects.count(), ModerationAction.objects.count(), ruleset.current_version())
    refusal = refused(rule, people, kind, **fields)
    assert refusal.code == Code.INVALID and (wrong is None or wrong in refusal.fields)
    after = (rules.AutomodRule.objects.count(), ModerationAction.objects.count(), ruleset.current_version())
    assert after == before


def test_ten_thousand_words_are_in_force_and_only_permitted_staff_writes_rules(people):
    rule(people, words="\n".join(f"word{number}" for number in range(10_000)))
    assert short(send(people, "word9999", "word10000")) == ["Held", "Posted"]
    wanted = RuleFields("R", RuleKind.WORDS, RuleAction.HOLD, people.room.pk, words="x")
    found = answers(people, lambda user: save_rule(user, None, wanted))
    assert found == told(ok="maude", forbidden="bob carol alice mona olga stan gil dave")


def test_a_rule_that_is_removed_rests_whatever_was_asked_for_and_can_be_brought_back(people):
    made = rule(people)
    rule_removed = RuleFields(
        "Rule", RuleKind.WORDS, RuleAction.HOLD, people.room.pk, words="xyzzy", live=True
    )
    save_rule(people.maude, made.pk, replace(rule_removed, removed=True))
    action = last_action()
    assert (action.after["live"], action.after["removed"]) == (False, True)
    assert short(send(people, "xyzzy")) == ["Posted"]
    undo_action(people.maude, action.pk)
    assert short(send(people, "xyzzy")) == ["Held"]
