"""Rules at the desk: tried before they are saved, refused where they cannot work."""

import uuid

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from chat.actions import trying
from chat.actions.posting import post_message
from chat.actions.rules import MAX_LIVE_PATTERNS, RuleFields, save_rule
from chat.actions.trying import try_rule
from chat.models import AutomodRule, HeldMessage, ModerationAction, RoomKind
from chatproject.errors import AppError
from tests.cast import cast
from tests.scenes import (
    browser_of,
    employ,
    hold_word,
    last_action,
    press,
    say,
    scene,
    text,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_rules")]
LOOKED = "room.looked_into"


RULE = {
    "name": "Casino", "room": "", "kind": "words", "words": "casino", "pattern": "", "threshold": "0",
    "seconds": "0", "action": "hold", "mute_minutes": "10", "text": "",
}  # fmt: skip


def test_a_rule_is_tried_before_it_is_saved(root):
    around = scene(root)
    say(around.cast.bob, around.cast.room.pk, "come to the casino")
    say(around.cast.olga, around.cast.room.pk, "owners may say casino")
    browser = browser_of(root)
    tried = text(press(browser, "chat_automodrule_add", **RULE, _try="1"))
    assert "1 of the last 4 messages would have matched" in tried
    assert "come to the casino" in tried and "owners may say" not in tried
    assert "half of all messages" not in tried
    assert not AutomodRule.objects.filter(name="Casino").exists()
    wide = text(
        press(browser, "chat_automodrule_add", **{**RULE, "kind": "pattern", "pattern": "[a-z]"}, _try="1")
    )
    assert "half of all messages" in wide
    press(browser, "chat_automodrule_add", **RULE, live="on")
    saved = AutomodRule.objects.get(name="Casino")
    assert saved.live and saved.created_by == root
    press(browser, "chat_automodrule_change", saved.pk, **{**RULE, "words": "casino\nroulette"})
    saved.refresh_from_db()
    assert saved.words == "casino\nroulette" and not saved.live
    assert ModerationAction.objects.filter(kind="rule.saved", target=f"rule:{saved.pk}").count() == 2


def test_a_trial_in_a_private_room_is_a_look_into_it(root):
    hidden = scene(root, kind=RoomKind.PRIVATE, mark="sesame")
    form = {**RULE, "words": "sesame", "room": hidden.cast.room.pk}
    assert "these words sesame" in text(press(browser_of(root), "chat_automodrule_add", **form, _try="1"))
    assert last_action(LOOKED).room == hidden.cast.room
    everywhere = text(press(browser_of(root), "chat_automodrule_add", **{**form, "room": ""}, _try="1"))
    assert "these words sesame" not in everywhere


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "pattern", "pattern": "(unclosed"}, "The pattern cannot be used"),
        ({"kind": "pattern", "pattern": "a*"}, "would match every message"),
        ({"words": ""}, "Give at least one word"),
        ({"words": "\n".join(f"word{n}" for n in range(10_001))}, "At most 10,000 words"),
        ({"kind": "links_denied", "words": "not a domain"}, "is not a domain"),
        ({"name": ""}, "This field is required"),
    ],
)
@pytest.mark.parametrize("button", ["_save", "_try"])
def test_a_rule_that_cannot_work_is_refused_at_its_field(root, fields, words, button):
    before = AutomodRule.objects.count()
    shown = press(browser_of(root), "chat_automodrule_add", **{**RULE, **fields}, **{button: "1"})
    assert shown.status_code == 200
    assert words in text(shown)
    assert AutomodRule.objects.count() == before


def fields(**more):
    return RuleFields(**{"name": "Tried", "kind": "words", "action": "hold", **more})


def test_a_trial_remembers_what_authors_wrote_before(root):
    around = cast()
    room, bob, dave = around.room.pk, around.bob, around.dave
    for body in ("Buy now", "something else", "buy NOW!", "buy now", "https://example.org for bob"):
        say(bob, room, body)
    say(dave, room, "https://example.com says dave")
    say(dave, room, "https://example.com says dave again")

    def tried(**more):
        return [message.body for message in try_rule(root, fields(room_id=room, **more)).matched]

    assert tried(kind="repetition", threshold=1, seconds=60) == ["buy now"]
    assert tried(kind="repetition", threshold=2, seconds=60) == []
    assert len(tried(kind="flood", threshold=3, seconds=60)) == 2
    assert tried(kind="first_links", threshold=1) == ["https://example.com says dave"]
    assert tried(kind="first_links", threshold=2) == [
        "https://example.com says dave again", "https://example.com says dave",
    ]  # fmt: skip


def test_a_trial_looks_at_what_stands_before_its_last_messages(root, monkeypatch):
    around = cast()
    for body in ("one", "same", "two", "same"):
        say(around.bob, around.room.pk, body)
    monkeypatch.setattr(trying, "LAST", 2)
    trial = try_rule(root, fields(room_id=around.room.pk, kind="repetition", threshold=1, seconds=60))
    assert ([m.body for m in trial.matched], trial.looked_at, trial.is_too_wide) == ([], 2, False)
    trial = try_rule(root, fields(room_id=around.room.pk, kind="first_links", threshold=3))
    assert trial.matched == []
    wide = try_rule(root, fields(room_id=around.room.pk, words="same"))
    assert (len(wide.matched), wide.is_too_wide) == (1, True)


def test_a_trial_agrees_with_what_then_happens(root):
    around = cast()
    say(around.bob, around.room.pk, "the word is here")
    rule = fields(room_id=around.room.pk, words="word")
    assert len(try_rule(root, rule).matched) == 1
    hold_word(root, around.room.pk, "word")
    post_message(around.bob, around.room.pk, client_id=uuid.uuid4(), body="the word is here")
    assert HeldMessage.objects.count() == 1


def test_trials_are_for_those_who_write_rules_and_of_rooms_they_reach(root, moderator):
    hidden = scene(root, kind=RoomKind.PRIVATE)
    writer = employ()
    writer.user_permissions.add(Permission.objects.get(codename="manage_automod"))
    writer = User.objects.get(pk=writer.pk)
    with pytest.raises(AppError, match="forbidden"):
        try_rule(moderator, fields(words="words"))
    with pytest.raises(AppError, match="not_found"):
        try_rule(writer, fields(words="words", room_id=hidden.cast.room.pk))
    assert try_rule(root, fields(words="words")).matched == []
    assert len(try_rule(root, fields(words="words", room_id=hidden.cast.room.pk)).matched) == 1


def test_a_room_has_a_bounded_number_of_live_patterns(root):
    room = cast().room.pk
    rest = {"kind": "pattern", "action": "report", "live": True}
    AutomodRule.objects.bulk_create(
        AutomodRule(name=str(n), pattern=f"x{n}", room_id=room if n % 2 else None, **rest)
        for n in range(MAX_LIVE_PATTERNS)
    )
    for place in (room, None):
        with pytest.raises(AppError) as refused:
            save_rule(root, None, RuleFields(name="One more", pattern="y", room_id=place, **rest))
        assert refused.value.fields.keys() == {"live"}
    resting = save_rule(root, None, RuleFields(name="One more", pattern="y", **{**rest, "live": False}))
    assert not resting.live
    elsewhere = RuleFields(name="Elsewhere", pattern="y", room_id=cast().room.pk, **rest)
    assert save_rule(root, None, elsewhere).live
