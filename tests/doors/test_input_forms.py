"""Every text that a form takes is kept clean or refused, on pages and in the admin; the table misses none."""

import re
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.test import Client
from django.urls import reverse

import accounts.application_views
import accounts.forms
import chat.admin.forms
import chat.admin.people
import chat.admin.rooms
import chat.admin.rules
import chat.admin.sanctions
import chat.forms
from accounts.actions.guests import create_guest
from accounts.models import Application, User
from chat.actions.reports import Target, report
from chat.audit import Why
from chat.models import AutomodRule, Membership, Room
from chatproject.database import clock
from tests.cast import person
from tests.rest import Caller
from tests.scenes import browser_of, employ, scene
from tests.texts import CODE, COMPOSED, DECOMPOSED, ENTRY, FEW, LINE, NAME, SECRET, WORDS, hold, note_of

pytestmark = pytest.mark.usefixtures("committed_db", "no_limits", "fresh_rules")
PASSWORD = "correct horse battery"


# Which field of which form, and its sort.
FORMS = {
    "NameForm.display_name": NAME,
    "SignUpForm.display_name": NAME,
    "SignUpForm.email": CODE,
    "SignUpForm.password1": SECRET,
    "SignInForm.login": SECRET,
    "SignInForm.password": SECRET,
    "PasswordForm.oldpassword": SECRET,
    "PasswordForm.password1": SECRET,
    "PasswordForm.password2": SECRET,
    "ResetForm.email": CODE,
    "NewPasswordForm.password1": SECRET,
    "NewPasswordForm.password2": SECRET,
    "StaffPasswordForm.password1": SECRET,
    "StaffPasswordForm.password2": SECRET,
    "StaffCreationForm.username": CODE,
    "StaffCreationForm.email": CODE,
    "StaffCreationForm.display_name": NAME,
    "StaffCreationForm.password1": SECRET,
    "StaffCreationForm.password2": SECRET,
    "ApplicationForm.name": NAME,
    "ApplicationForm.description": WORDS,
    "ApplicationForm.website": CODE,
    "ApplicationForm.redirect_uris": CODE,
    "ChangeForm.description": WORDS,
    "ChangeForm.website": CODE,
    "ChangeForm.redirect_uris": CODE,
    "NewRoomForm.name": LINE,
    "NewRoomForm.topic": LINE,
    "NoteForm.text": WORDS,
    "ReasonForm.text": WORDS,
    "PlacedForm.text": WORDS,
    "SanctionForm.text": WORDS,
    "CleanUpForm.text": WORDS,
    "ReasonedForm.text": WORDS,
    "RuleForm.text": WORDS,
    "RuleForm.name": LINE,
    "RuleForm.words": ENTRY,
    "RuleForm.pattern": ENTRY,
    "RoomForm.name": LINE,
    "RoomForm.topic": LINE,
    "RoomForm.text": WORDS,
    "NewSanctionForm.text": WORDS,
    "RoleForm.text": WORDS,
}
MODULES = (
    accounts.forms, accounts.application_views, chat.forms, chat.admin.forms, chat.admin.rules,
    chat.admin.rooms, chat.admin.sanctions, chat.admin.people,
)  # fmt: skip
ADDRESS = "https://example.org/callback"


def test_no_text_of_a_form_is_missing_from_the_table():
    found = {
        f"{form.__name__}.{name}"
        for module in MODULES
        for form in vars(module).values()
        if isinstance(form, type) and issubclass(form, forms.BaseForm) and form.__module__ == module.__name__
        for name, field in form.base_fields.items()
        if isinstance(field, forms.CharField)
    }
    # allauth names its fields when a form is made; of the other one only rights can be changed.
    made = {"SignInForm.login", "SignUpForm.password1"}
    found = {name for name in found if not name.startswith("RightsForm.")} - {"SignUpForm.username"}
    assert found | made == FORMS.keys()


def posted(browser, url, data, kept):
    """Status and what was kept; Django's admin answers 200 with what is wrong."""
    answer = browser.post(url, data)
    done = answer.status_code == 302
    return (
        (200, kept())
        if done
        else (
            max(answer.status_code, 400),
            " ".join(re.findall(r'errorlist.*?</ul>|class="field__wrong.*?<', answer.content.decode(), re.S)),
        )
    )


def newest(model, name):
    return lambda: getattr(model.objects.latest("pk"), name)


@dataclass
class Desk:
    """People at their pages, and what staff have before them."""

    account: User
    root: User
    around: Any

    def staff(self, page, args, data, kept):
        return posted(browser_of(self.root), reverse(f"admin:{page}", args=args), data, kept)


@cache
def one_desk():
    """One for all forms: no field reads what another has left."""
    root = employ(root=True)
    return Desk(person("bob"), root, scene(root))


@pytest.fixture
def desk(committed_db):
    return one_desk()


def signed_up(desk, value):
    tag = uuid.uuid4().hex
    data = {"display_name": value, "email": f"{tag}@example.org", "password1": PASSWORD}
    return posted(Client(), reverse("account_signup"), data, newest(User, "display_name"))


def application(**given):
    data = {
        "name": f"App {uuid.uuid4().hex[:12]}",
        "redirect_uris": ADDRESS,
        "kind": "public",
        "scopes": "profile:read",
    }
    return {**data, **given}


def registered(text):
    def answer_of(desk, value):
        given = application(**{text: value})
        answer = browser_of(person("noor")).post(reverse("account_application_new"), given)
        return answer.status_code, getattr(Application.objects.latest("pk"), text)

    return answer_of


def changed(text):
    def answer_of(desk, value):
        browser = browser_of(desk.account)
        if not Application.objects.filter(user=desk.account).exists():
            browser.post(reverse("account_application_new"), application())
        own = Application.objects.get(user=desk.account)
        data = {"description": "", "website": "", "redirect_uris": ADDRESS, text: value}
        kept = lambda: getattr(Application.objects.get(pk=own.pk), text)  # noqa: E731
        return posted(browser, reverse("account_application", args=[own.pk]), data, kept)

    return answer_of


def room_changed(text):
    def answer_of(desk, value):
        room = Room.objects.get(pk=desk.around.cast.room.pk)
        names = ("name", "topic", "kind", "guest_policy", "slow_mode_seconds", "hide_after_reports")
        data = {name: getattr(room, name) for name in names}
        data |= {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
        # A reason is kept where something changes.
        data |= {text: value} if text != "text" else {"topic": uuid.uuid4().hex, "text": value}
        kept = note_of if text == "text" else lambda: getattr(Room.objects.get(pk=room.pk), text)
        return desk.staff("chat_room_change", [room.pk], data, kept)

    return answer_of


def rule_saved(text):
    def answer_of(desk, value):
        kind = "pattern" if text == "pattern" else "words"
        data = {
            "name": f"Rule {uuid.uuid4().hex}",
            "kind": kind,
            "action": "hold",
            "words": "x",
            "pattern": "x",
        }
        data = {**data, "threshold": 0, "seconds": 0, "mute_minutes": 10, text: value}
        kept = note_of if text == "text" else newest(AutomodRule, text)
        return desk.staff("chat_automodrule_add", [], data, kept)

    return answer_of


def account_made(text):
    def answer_of(desk, value):
        tag = uuid.uuid4().hex
        data = {"username": tag, "email": f"{tag}@example.org", "display_name": tag[:30]}
        data |= {
            "password1": PASSWORD,
            "password2": PASSWORD,
            "usable_password": "true",
            text: value,
        }
        return desk.staff("accounts_user_add", [], data, newest(User, text))

    return answer_of


def sanction_added(desk, value):
    data = {"user": person("eve").pk, "kind": "warn", "lasts": "1d", "category": "spam", "text": value}
    return desk.staff("chat_sanction_add", [], data, note_of)


def sanctioned_at_the_desk(desk, value):
    data = {"kind": "warn", "place": "everywhere", "lasts": "1d", "category": "spam", "text": value}
    return desk.staff("accounts_user_desk", [person("eve").pk], data, note_of)


def cleaned_up(desk, value):
    eve = person("eve")
    data = {"place": "everywhere", "lasts": "1d", "since": "1h", "category": "spam", "text": value}
    return desk.staff(
        "accounts_user_clean_up",
        [eve.pk],
        {**data, "confirmed": "1", "moment": clock().isoformat()},
        note_of,
    )


def report_decided(desk, value):
    made = report(person("rita"), Target(user_id=person("eve").pk), why=Why("spam"))
    data = {"do": "decide", "outcome": "dismissed", "decide-text": value}
    return desk.staff("chat_report_change", [made.pk], data, note_of)


def role_changed(desk, value):
    seat = Membership.objects.get(room=desk.around.cast.room, user=desk.around.cast.bob)
    data = {"role": "moderator" if seat.role == "member" else "member", "text": value}
    return desk.staff("chat_membership_change", [seat.pk], data, note_of)


DOORS = {
    "NameForm.display_name": lambda desk, value: posted(
        Client(), reverse("account_guest"), {"display_name": value}, newest(User, "display_name")
    ),
    "SignUpForm.display_name": signed_up,
    "ApplicationForm.name": registered("name"),
    "ApplicationForm.description": registered("description"),
    "ApplicationForm.website": registered("website"),
    "ApplicationForm.redirect_uris": registered("redirect_uris"),
    "ChangeForm.description": changed("description"),
    "ChangeForm.website": changed("website"),
    "NewRoomForm.name": lambda desk, value: room_made(desk, name=value),
    "NewRoomForm.topic": lambda desk, value: room_made(desk, topic=value),
    "StaffCreationForm.username": account_made("username"),
    "StaffCreationForm.email": account_made("email"),
    "StaffCreationForm.display_name": account_made("display_name"),
    "RoomForm.name": room_changed("name"),
    "RoomForm.topic": room_changed("topic"),
    "RoomForm.text": room_changed("text"),
    "RoleForm.text": role_changed,
    "RuleForm.name": rule_saved("name"),
    "RuleForm.text": rule_saved("text"),
    "RuleForm.words": rule_saved("words"),
    "RuleForm.pattern": rule_saved("pattern"),
    "NewSanctionForm.text": sanction_added,
    "SanctionForm.text": sanctioned_at_the_desk,
    "CleanUpForm.text": cleaned_up,
    "NoteForm.text": report_decided,
}
# Those above are made of these; and what only changes how one signs in is asked below, all at once.
PARTS = {"ReasonForm.text", "PlacedForm.text", "ReasonedForm.text"}


def room_made(desk, **given):
    data = {"name": "A room", "topic": "", "kind": "public", "guest_policy": "none", **given}
    (text,) = given
    return posted(browser_of(desk.account), reverse("new_room"), data, newest(Room, text))


def test_each_form_has_a_door():
    asked_at_once = {name for name, sort in FORMS.items() if sort == SECRET} | {
        "SignUpForm.email", "ResetForm.email", "ChangeForm.redirect_uris",
    }  # fmt: skip
    assert DOORS.keys() | PARTS | asked_at_once == FORMS.keys()


# What fields with a grammar of their own do take.
GOOD = {
    "ApplicationForm.website": "https://example.org/",
    "ApplicationForm.redirect_uris": ADDRESS,
    "ChangeForm.website": "https://example.org/",
    "StaffCreationForm.username": f"u{uuid.uuid4().hex}",
    "StaffCreationForm.email": f"{uuid.uuid4().hex}@example.org",
    "RuleForm.words": "bad",
    "RuleForm.pattern": "b[a4]d",
}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_each_text_of_a_form_is_kept_clean_or_refused(desk, name):
    if (good := GOOD.get(name)) is not None:
        status, kept = DOORS[name](desk, good)
        assert status < 300 and kept == good, (status, kept)
    hold(FORMS[name], lambda value: DOORS[name](desk, value), can_be_half=False)


def test_what_one_signs_in_with_is_never_a_fault_of_ours(desk):
    own = reverse("account_application_new")
    for value in FEW:
        browser = browser_of(desk.account)
        asked = [
            (Client(), "account_login", {"login": value, "password": value}),
            (Client(), "account_signup", {"display_name": "x", "email": value, "password1": value}),
            (Client(), "account_reset_password", {"email": value}),
            (
                browser,
                "account_change_password",
                dict.fromkeys(("oldpassword", "password1", "password2"), value),
            ),
        ]
        for who, page, data in asked:
            assert who.post(reverse(page), data).status_code in {200, 302, 400, 401}, (page, ascii(value))
        assert browser.post(own, application(redirect_uris=value)).status_code == 400


def test_the_oauth_doors_know_no_such_texts(desk):
    browser = browser_of(desk.account)
    for value in FEW:
        query = {
            "response_type": value,
            "client_id": value,
            "redirect_uri": value,
            "scope": value,
            "state": value,
        }
        assert browser.get("/o/authorize/", query).status_code == 400
        form = {"grant_type": "authorization_code", "code": value, "client_id": value, "client_secret": value}
        for data in (form, {"grant_type": "refresh_token", "refresh_token": value}, {"token": value}):
            for path in ("token", "revoke", "introspect"):
                answer = Client().post(f"/o/{path}/", data)
                assert 400 <= answer.status_code < 500, (path, ascii(value))


def test_the_searches_of_the_desk_find_what_is_kept_however_it_is_typed(desk):
    browser = browser_of(desk.root)
    tag = uuid.uuid4().hex[:12]
    create_guest(f"{DECOMPOSED} {tag}")
    page = browser.get(reverse("admin:accounts_user_changelist"), {"q": f"{DECOMPOSED} {tag}"})
    assert f"{COMPOSED} {tag}" in page.content.decode()
    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for value in (*FEW, "'\"%_\\", "9" * 40):
            assert browser.get(url, {"q": value}).status_code == 200, (url, ascii(value))


def test_nobody_takes_a_name_that_looks_like_one_of_staff_or_is_reserved(desk):
    # Not the name that staff have elsewhere in the tests: with digits alone after it, it would be reserved.
    sasha = person("sasha")
    User.objects.filter(pk=sasha.pk).update(is_staff=True)
    name = sasha.display_name
    lookalikes = [
        name.replace("a", "\u0430"),
        name.upper(),
        name.replace("-", " "),
        name.replace("s", "\u0455"),
    ]
    for value in (name, *lookalikes, "Adm\u0456n", "m\u043ederator", "Supp0rt"):
        status = 400 if value not in {name, *lookalikes} else 409
        body = {"display_name": value}
        assert Caller().ask("POST", "guests", body).status_code == status, ascii(value)
        assert Caller(desk.account).ask("PATCH", "me", body).status_code == status, ascii(value)
        assert signed_up(desk, value)[0] == status, ascii(value)
