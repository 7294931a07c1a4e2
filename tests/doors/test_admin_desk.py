"""The queues of the desk, and what its buttons do: every change by an action, every refusal told."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from chat import roles
from chat.actions.holding import approve_held
from chat.actions.reports import decide_report
from chat.admin import charting, moments
from chat.models import HeldMessage, Membership, Message, ModerationAction, Pulse, Report, Sanction
from chatproject.database import clock
from tests.scenes import browser_of, employ, last_action, page, press, say, scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_rules")]


def told(response):
    """What the page says was done or refused."""
    return " ".join(re.findall(r'<ul class="messagelist">(.*?)</ul>', response.content.decode(), re.S))


def bulk(browser, model, action, *rows, **sent):
    form = {"action": action, "_selected_action": [row.pk for row in rows], **sent}
    return browser.post(reverse(f"admin:chat_{model}_changelist"), form, follow=True)


def test_the_index_counts_what_waits(root, moderator):
    around = scene(root)
    Pulse.objects.create(process=uuid.uuid4(), people=40, sockets=50, at=clock())
    Pulse.objects.create(process=uuid.uuid4(), people=2, sockets=2, at=clock())
    Pulse.objects.create(process=uuid.uuid4(), people=900, sockets=900, at=clock() - timedelta(minutes=1))
    browser = browser_of(moderator)
    counts = page(browser, "desk_news").json()["counts"]
    assert counts == {"reports": "1", "held": "1", "sanctions": "1", "online": "42"}
    shown = page(browser, "index").content.decode()
    for number in ("reports", "held", "sanctions", "online"):
        assert f'data-desk-count="{number}">{counts[number]}<' in shown
    approve_held(moderator, around.held.pk)
    decide_report(moderator, around.report.pk, outcome="upheld")
    counts = page(browser, "desk_news").json()["counts"]
    assert (counts["reports"], counts["held"]) == ("0", "0")


def test_each_sees_the_numbers_of_what_they_may_open(root):
    scene(root)
    keys = {
        group: list(page(browser_of(employ(group)), "desk_news").json()["counts"])
        for group in (None, roles.ROOM_MANAGERS, roles.SUPPORT)
    }
    assert keys == {
        None: [],
        roles.ROOM_MANAGERS: ["sanctions", "online"],
        roles.SUPPORT: ["reports", "held", "sanctions", "online"],
    }


def test_news_tells_what_has_come_since(root, moderator):
    first = scene(root)
    browser = browser_of(moderator)
    asked = {"queue": "reports", "after": first.report.pk}
    assert page(browser, "desk_news", **asked).json()["news"] == ""
    scene(root)
    assert page(browser, "desk_news", **asked).json()["news"] == "1 new. Show them."
    assert page(browser_of(employ(roles.ROOM_MANAGERS)), "desk_news", **asked).json()["news"] == ""


def test_the_picture_counts_each_day(root, monkeypatch):
    around = scene(root)
    old = [say(around.cast.olga, around.cast.room.pk, f"number {n}") for n in range(6)]
    for back, message in zip((20, 3, 3, 2, 1, 1), sorted(old, key=lambda m: m.pk), strict=True):
        Message.objects.filter(pk=message.pk).update(created_at=clock() - timedelta(days=back))
    first = Message.objects.order_by("pk").first()
    ours = Message.objects.filter(pk__gte=old[0].pk)
    Message.objects.filter(pk__lt=old[0].pk).update(created_at=clock() - timedelta(days=30))
    today = clock().astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(14))]
    exact = charting.per_day(Message, "created_at", days)
    assert exact == ([0] * 10 + [2, 1, 2, 0], True)
    monkeypatch.setattr(charting, "MAX_COUNTED", 0)
    assert charting.per_day(Message, "created_at", days) == (exact[0], False)
    assert (
        moments.first_at(Message, "created_at", clock() + timedelta(days=1)) == ours.order_by("-pk")[0].pk + 1
    )
    assert moments.first_at(Message, "created_at", datetime(1990, 1, 1, tzinfo=UTC)) == first.pk


def test_a_reports_page_has_its_surroundings_evidence_and_history(root, moderator):
    around = scene(root)
    for number in range(15):
        say(around.cast.olga, around.cast.room.pk, f"afterwards {number:02}")
    shown = page(browser_of(moderator), "chat_report_change", around.report.pk).content.decode()
    for words in (
        "look at this",
        "first words",
        "these words",
        "to be removed",
        "No such word",
        "afterwards 08",
    ):
        assert words in shown, words
    assert "afterwards 09" not in shown  # ten on either side
    support = page(browser_of(employ(roles.SUPPORT)), "chat_report_change", around.report.pk).content.decode()
    assert "these words" in support
    assert "first words" not in support
    assert "to be removed" not in support
    assert 'name="do"' not in support


def test_reports_are_assigned_and_decided_from_their_page(root, moderator):
    around = scene(root)
    other = employ(roles.MODERATORS)
    browser = browser_of(moderator)
    at = ("chat_report_change", around.report.pk)
    press(browser, *at, do="take")
    assert Report.objects.get().assignee == moderator
    press(browser, *at, do="put_back")
    assert Report.objects.get().assignee is None
    press(browser, *at, **{"do": "assign", "assign-assignee": other.pk})
    assert Report.objects.get().assignee == other
    press(browser, *at, **{"do": "decide", "outcome": "upheld", "decide-text": "Plainly so"})
    decided = Report.objects.get()
    assert (decided.state, decided.outcome, decided.decided_by) == ("decided", "upheld", moderator)
    assert last_action("report.decided").note.text == "Plainly so"
    # The second moderator is told who was first.
    refused = press(browser_of(other), *at, do="decide", outcome="dismissed")
    assert f"{str(moderator).capitalize()} has decided already" in told(refused)
    assert Report.objects.get().outcome == "upheld"


def test_a_message_is_removed_and_its_author_sanctioned_from_the_report(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    at = ("chat_report_change", around.report.pk)
    press(browser, *at, **{"do": "remove", "remove-category": "spam", "remove-text": ""})
    assert Message.objects.get(pk=around.said.pk).deleted_by == moderator
    press(browser, *at, do="restore")
    assert Message.objects.get(pk=around.said.pk).deleted_at is None
    form = {"kind": "mute", "place": "here", "lasts": "1h", "category": "spam", "text": "Twice"}
    press(browser, *at, do="sanction", **{f"sanction-{name}": value for name, value in form.items()})
    sanction = Sanction.objects.get(user=around.cast.bob)
    assert (sanction.kind, sanction.room, sanction.by, sanction.reason) == (
        "mute",
        around.cast.room,
        moderator,
        "Twice",
    )
    assert timedelta(minutes=59) < sanction.ends_at - clock() <= timedelta(hours=1)


def test_support_presses_no_button(root):
    around = scene(root)
    browser = browser_of(employ(roles.SUPPORT))
    answers = [
        press(browser, "chat_report_change", around.report.pk, do="take"),
        press(browser, "chat_heldmessage_change", around.held.pk, do="approve"),
        press(browser, "chat_message_change", around.said.pk, do="remove"),
        press(browser, "chat_sanction_change", Sanction.objects.get().pk),
        press(browser, "accounts_user_desk", around.cast.bob.pk, kind="ban", place="everywhere", lasts="1d"),
        press(browser, "accounts_user_clean_up", around.cast.bob.pk),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6
    before = ModerationAction.objects.count()
    bulk(browser, "report", "uphold", around.report, confirmed="1")
    bulk(browser, "heldmessage", "approve", around.held, confirmed="1")
    assert ModerationAction.objects.count() == before


def test_a_bulk_action_shows_what_it_will_do_and_then_what_was_refused(root, moderator):
    scenes = [scene(root) for _ in range(3)]
    browser = browser_of(moderator)
    held = [each.held for each in scenes]
    before = bulk(browser, "heldmessage", "approve", *held).content.decode()
    assert before.count("forbiddenword") == 3
    assert "Let in (3)" in before
    assert HeldMessage.objects.filter(state="waiting").count() == 3
    other = employ(roles.MODERATORS)
    approve_held(other, held[1].pk)
    after = bulk(browser, "heldmessage", "approve", *held, confirmed="1", text="All well")
    assert f"{other} has decided already: approved." in told(after)
    assert "2 done" in told(after)
    assert HeldMessage.objects.filter(state="approved").count() == 3
    again = bulk(browser, "heldmessage", "reject", *held).content.decode()
    assert again.count("Decided already by") == 3
    assert "Keep out (" not in again


def test_bulk_decisions_and_removals(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    bulk(browser, "report", "take", around.report, confirmed="1")
    bulk(browser, "report", "dismiss", around.report, confirmed="1", text="No")
    assert Report.objects.get().outcome == "dismissed"
    bulk(browser, "message", "take_away", around.said, confirmed="1", category="spam")
    assert Message.objects.get(pk=around.said.pk).deleted_by == moderator
    bulk(browser, "message", "bring_back", around.said, around.gone, confirmed="1")
    assert not Message.objects.filter(room=around.cast.room, deleted_at__isnull=False).exists()


def test_a_held_message_is_decided_on_its_page(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    shown = page(browser, "chat_heldmessage_change", around.held.pk).content.decode()
    assert "forbiddenword" in shown and "Automod: No such word" in shown and "these words" in shown
    press(browser, "chat_heldmessage_change", around.held.pk, do="reject", category="spam", text="Not here")
    held = HeldMessage.objects.get()
    assert (held.state, held.decided_by) == ("rejected", moderator)
    again = press(browser, "chat_heldmessage_change", around.held.pk, do="approve")
    assert "has decided already" in told(again)


def test_sanctions_are_imposed_and_lifted(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    add = {
        "user": around.cast.bob.pk,
        "room": "",
        "kind": "ban",
        "lasts": "7d",
        "category": "spam",
        "text": "Enough",
    }
    press(browser, "chat_sanction_add", **add)
    ban = Sanction.objects.get(user=around.cast.bob)
    assert (ban.room, ban.kind, ban.reason, ban.by) == (None, "ban", "Enough", moderator)
    refused = press(browser, "chat_sanction_add", **{**add, "user": moderator.pk})
    assert "You cannot do this to yourself." in refused.content.decode()
    above = press(browser, "chat_sanction_add", **{**add, "user": root.pk})
    assert "stands as high as you or higher" in above.content.decode()
    press(browser, "chat_sanction_change", ban.pk, text="Sorry")
    ban.refresh_from_db()
    assert ban.lifted_by == moderator
    over = press(browser, "chat_sanction_change", ban.pk)
    assert "over already" in told(over)
    mute = Sanction.objects.get(user=around.cast.carol)
    bulk(browser, "sanction", "lift", mute, ban, confirmed="1")
    mute.refresh_from_db()
    assert mute.lifted_by == moderator


def test_ban_and_clean_up_shows_what_goes_before_it_goes(root, moderator):
    around = scene(root)
    late = scene(root, kind="private", mark="sesame").cast
    Membership.objects.create(room=late.room, user=around.cast.bob)
    hidden = say(around.cast.bob, late.room.pk, "sesame words")
    browser = browser_of(moderator)
    at = ("accounts_user_clean_up", around.cast.bob.pk)
    form = {
        "place": "everywhere",
        "lasts": "forever",
        "since": "1d",
        "category": "spam",
        "text": "Spam all day",
    }
    before = press(browser, *at, **form).content.decode()
    assert "2 messages will be hidden" in before and "these words" in before
    assert "in private rooms: 1" in before and "sesame" not in before
    assert not Sanction.objects.filter(user=around.cast.bob).exists()
    (moment,) = re.findall(r'name="moment" value="([^"]+)"', before)
    press(browser, *at, **form, moment=moment, confirmed="1")
    ban = Sanction.objects.get(user=around.cast.bob)
    assert (ban.kind, ban.ends_at, ban.reason) == ("ban", None, "Spam all day")
    gone = Message.objects.filter(pk__in=[around.said.pk, hidden.pk], deleted_by=moderator)
    assert gone.count() == 2
    action = last_action("person.cleaned_up")
    press(browser_of(root), "chat_moderationaction_change", action.pk)
    ban.refresh_from_db()
    assert ban.lifted_at is not None
    assert not Message.objects.filter(pk__in=[around.said.pk, hidden.pk], deleted_at__isnull=False).exists()


def test_a_persons_page_sanctions_everywhere(root, moderator):
    around = scene(root)
    browser = browser_of(moderator)
    shown = page(browser, "accounts_user_desk", around.cast.bob.pk).content.decode()
    assert "to be removed" in shown and "Harassment" in shown
    form = {"kind": "warn", "place": "everywhere", "lasts": "1d", "category": "off_topic", "text": ""}
    press(browser, "accounts_user_desk", around.cast.bob.pk, **form)
    assert Sanction.objects.get(user=around.cast.bob).ends_at is None
