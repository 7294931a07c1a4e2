"""Every URL of the admin, as everybody: one table of who is let in."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import tokens
from accounts.models import TokenFamily
from chat.models import (
    Evidence,
    Incarnation,
    Membership,
    MessageRevision,
    ModerationAction,
    Notice,
    Pulse,
    RoomEvent,
    Ruleset,
    Sanction,
)
from tests.cast import person
from tests.oauth import App
from tests.scenes import STAFF, browser_of, employ, scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_rules")]

# p plain staff, m moderator, r room manager, s support, a administrator, x superuser. Those named get the
# page (200); other staff is refused (403); who is not staff is led to the sign-in (302).
NOBODY, ROOT, ADMINS, EVERYONE, STAFFED = "", "x", "ax", "pmrsax", "mrsax"
OPEN = {
    "index": EVERYONE,
    "desk_news": EVERYONE,
    "desk_rights": STAFFED,
    "autocomplete": STAFFED,
    "app_list": STAFFED,
    "audit_csv": "max",
    "audit_jsonl": "max",
    "accounts_user_desk": STAFFED,
    "accounts_user_clean_up": "max",
    "auth_user_password_change": ADMINS,
    # The library's own pages of jobs; there is none of them to open here.
    "procrastinate_procrastinatejob_changelist": ROOT,
    "procrastinate_procrastinatejob_add": NOBODY,
}
# list and page of one, history, add, change by a form, delete
MODELS = {
    "accounts_user": (STAFFED, STAFFED, ADMINS, NOBODY),
    "accounts_application": (ADMINS, ADMINS, NOBODY, NOBODY),
    "accounts_tokenfamily": (ADMINS, ADMINS, NOBODY, NOBODY),
    "auth_group": (ADMINS, ADMINS, ROOT, NOBODY),
    "chat_room": (STAFFED, STAFFED, NOBODY, NOBODY),
    "chat_membership": (STAFFED, STAFFED, NOBODY, NOBODY),
    "chat_message": (STAFFED, STAFFED, NOBODY, NOBODY),
    "chat_messagerevision": ("max", "max", NOBODY, NOBODY),
    "chat_roomevent": (STAFFED, STAFFED, NOBODY, NOBODY),
    "chat_report": ("msax", "msax", NOBODY, NOBODY),
    "chat_evidence": ("max", "max", NOBODY, NOBODY),
    "chat_heldmessage": ("msax", "msax", NOBODY, NOBODY),
    "chat_automodhit": ("msax", "msax", NOBODY, NOBODY),
    "chat_automodrule": ("msax", "msax", ADMINS, NOBODY),
    "chat_sanction": (STAFFED, STAFFED, "max", NOBODY),
    "chat_moderationaction": ("max", "max", NOBODY, NOBODY),
    "chat_notice": (ROOT, ROOT, NOBODY, NOBODY),
    "chat_pulse": (ROOT, ROOT, NOBODY, NOBODY),
    "chat_ruleset": (ROOT, ROOT, NOBODY, NOBODY),
    "chat_incarnation": (ADMINS, ADMINS, NOBODY, NOBODY),
}
# Pages that lead elsewhere, and those of a job.
ELSEWHERE = {"login", "logout", "password_change", "password_change_done", "jsi18n", "view_on_site"}
JOB = tuple(f"procrastinate_procrastinatejob_{page}" for page in ("change", "history", "delete"))


@pytest.fixture
def everybody(root):
    staff = {name[0]: employ(group) for name, group in STAFF.items()}
    return staff | {"x": root, "member": person("bob")}


def names(patterns, prefix=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


def walk_names():
    (own,) = [r for r in get_resolver().url_patterns if getattr(r, "namespace", None) == "admin"]
    return sorted(set(names(own.url_patterns)))


def rows(around, root):
    """One row of every model."""
    tokens.issue_pair(around.cast.bob)
    Pulse.objects.create(
        process="5f6f2bb1-7ab0-4e6d-a2c9-0b0f4b1f7b0e", people=1, sockets=1, at="2026-01-01T00:00Z"
    )
    Ruleset.objects.get_or_create(pk=1)
    Incarnation.objects.get_or_create(pk=1)
    application = App(approved=False).row
    room = around.cast.room
    return {
        "accounts_user": around.cast.bob,
        "accounts_application": application,
        "accounts_tokenfamily": TokenFamily.objects.first(),
        "auth_group": Group.objects.get(name="Moderators"),
        "chat_room": room,
        "chat_membership": Membership.objects.get(room=room, user=around.cast.bob),
        "chat_message": around.said,
        "chat_messagerevision": MessageRevision.objects.get(message=around.said),
        "chat_roomevent": RoomEvent.objects.filter(room=room).first(),
        "chat_report": around.report,
        "chat_evidence": Evidence.objects.get(report=around.report),
        "chat_heldmessage": around.held,
        "chat_automodhit": around.hit,
        "chat_automodrule": around.hit.rule,
        "chat_sanction": Sanction.objects.get(user=around.cast.carol),
        "chat_moderationaction": ModerationAction.objects.first(),
        "chat_notice": Notice.objects.first(),
        "chat_pulse": Pulse.objects.get(process="5f6f2bb1-7ab0-4e6d-a2c9-0b0f4b1f7b0e"),
        "chat_ruleset": Ruleset.objects.get(),
        "chat_incarnation": Incarnation.objects.get(),
    }


def table(around, root):
    """Each URL, and who is let in."""
    found = {}
    for name, who in OPEN.items():
        args = [around.cast.bob.pk] if name.startswith(("accounts_", "auth_")) else []
        query = ""
        if name == "autocomplete":
            query = "?app_label=chat&model_name=membership&field_name=user"
        found[reverse(f"admin:{name}", args=["chat"] if name == "app_list" else args) + query] = who
    for model, row in rows(around, root).items():
        seen, history, added, deleted = MODELS[model]
        found[reverse(f"admin:{model}_changelist")] = seen
        found[reverse(f"admin:{model}_change", args=[row.pk])] = seen
        found[reverse(f"admin:{model}_history", args=[row.pk])] = history
        found[reverse(f"admin:{model}_add")] = added
        found[reverse(f"admin:{model}_delete", args=[row.pk])] = deleted
    return found


def test_no_url_is_missing_from_the_table():
    kinds = ("changelist", "change", "history", "add", "delete")
    listed = {f"{model}_{kind}" for model in MODELS for kind in kinds} | OPEN.keys() | ELSEWHERE
    unlisted = [name for name in walk_names() if name not in listed and name not in JOB]
    assert unlisted == []


def test_every_url_is_open_to_those_who_may_and_to_nobody_else(root, everybody):
    around = scene(root)
    expected, answers = {}, {}
    for url, who in table(around, root).items():
        expected[url] = {name: 200 if name in who else 403 for name in everybody}
        expected[url] |= {"member": 302, "guest": 302, "visitor": 302}
    # An application of which someone sees nothing is not there, says Django.
    expected[reverse("admin:app_list", args=["chat"])]["p"] = 404
    browsers = {name: browser_of(user) for name, user in everybody.items()}
    browsers |= {"guest": browser_of(around.cast.gil), "visitor": Client()}
    for url in expected:
        answers[url] = {name: browser.get(url).status_code for name, browser in browsers.items()}
    wrong = {
        url: [
            (who, answers[url][who], code) for who, code in expected[url].items() if answers[url][who] != code
        ]
        for url in expected
        if answers[url] != expected[url]
    }
    assert wrong == {}


def test_looking_changes_no_row(root, everybody):
    around = scene(root)
    around.cast.room.refresh_from_db()
    before = LogEntry.objects.count(), around.cast.room.last_seq
    browser = browser_of(root)
    for url in table(around, root):
        browser.get(url)
    around.cast.room.refresh_from_db()
    assert (LogEntry.objects.count(), around.cast.room.last_seq) == before


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_number_of_statements_does_not_grow_with_the_rows(root, model):
    scene(root)
    browser = browser_of(root)
    url = reverse(f"admin:{model}_changelist")
    browser.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        browser.get(url)
    for _ in range(2):
        scene(root)
    with CaptureQueriesContext(connection) as many:
        assert browser.get(url).status_code == 200
    assert len(many) <= len(few), [query["sql"][:200] for query in many]
