"""Every text that comes in by any door: kept in NFC, or refused; never an error of ours, and none forgotten.

Each field belongs to a sort, and the tables name them all: a field that is added must be told what it is.
"""

import contextlib
import json
import re
import unicodedata
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import pytest
from django import forms
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from rest_framework import serializers

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
from api import inputs, moderation_inputs
from api.webhooks import views as webhook_views
from chat.actions.members import join_room
from chat.actions.reports import Target, report
from chat.audit import Why
from chat.models import AutomodRule, Membership, Message, ModerationAction, Report, Room
from chat.realtime import protocol
from chatproject.database import clock
from chatproject.errors import Code
from chatproject.lines import plain_line
from tests.cast import Refused, cast, connect, do, member, person
from tests.rest import Caller
from tests.scenes import browser_of, employ, forget_rules, scene

pytestmark = pytest.mark.usefixtures("committed_db")
PASSWORD = "correct horse battery"
# "é" twice, once in two characters; what is kept has one.
DECOMPOSED = "Jose\u0301 \u00e9"
COMPOSED = "José é"
CONTROLS = ("a\0b", "a\x1bb", "a\x9fb")
BIDI = ("a\u202eb", "a\u2066b", "a\u200fb")
UNSEEN = ("a\u200bb", "a\ufeffb")
TOWER = "a" + "\u0301\u0302\u0303" * 3
HALF = "a\ud800b"
HOSTILE = (*CONTROLS, *BIDI, *UNSEEN, TOWER, HALF)
# Where the sort of a character makes no difference.
FEW = ("a\0b", "a\u202eb", "x" * 5000)
# What it names cannot be seen twice: refused. What explains is stripped of it. Messages keep bidi text,
# which each paragraph isolates. The rest is compared or has a grammar of its own, and is shown to nobody.
NAME, LINE, WORDS, BODY, CODE = "name", "line", "words", "body", "code"
# Compared or hashed; and what automod looks for: staff see it, and it is folded before it is compared.
SECRET, ENTRY = "secret", "entry"


@pytest.fixture(autouse=True)
def _no_limits(settings):
    settings.NO_LIMITS = True
    forget_rules()


def kept_text(sort, answer_of, value):
    """Whether ``value`` is refused (None), or how it is kept."""
    status, kept = answer_of(value)
    assert status < 500, (sort, ascii(value), kept)
    return kept if status < 300 else None


def hold(sort, answer_of, *, can_be_half=True):
    """Holds one field against the rule of its sort. ``answer_of(value)`` is (status, what is kept)."""
    # Forms lead to the same rules as REST, which is asked with all of them.
    hostile = HOSTILE if can_be_half else ("a\0b", "a\u202eb", TOWER)
    if sort in {CODE, ENTRY}:
        for value in FEW[:2]:
            status, _ = answer_of(value)
            assert (400 if sort == CODE else 200) <= status < 500, (ascii(value), status)
        return
    status, kept = answer_of(f"{DECOMPOSED} {uuid.uuid4().hex[:12]}")
    assert status < 300 and kept.startswith(COMPOSED), (status, kept)
    refused = {
        NAME: hostile,
        LINE: hostile,
        BODY: (*CONTROLS, HALF),
        WORDS: (),
    }[sort]
    for value in refused:
        assert kept_text(sort, answer_of, value) is None, (sort, ascii(value))
    if sort == BODY:
        for value in (*BIDI, TOWER):
            assert kept_text(sort, answer_of, value) == unicodedata.normalize("NFC", value)
    if sort == WORDS:
        for value in hostile:
            kept = kept_text(sort, answer_of, value)
            assert kept is None or kept == plain_line(value)
            assert kept is None or kept in {"ab", "a b", plain_line(TOWER)}


# --- REST -----------------------------------------------------------------------------------------------


@dataclass
class World:
    """A room, callers of it, and things that the doors below change."""

    room: int
    bob: Caller
    alice: Caller
    olga: Caller
    users: dict[str, int]


@pytest.fixture
def world(committed_db):
    people = cast()
    users = {name: getattr(people, name).pk for name in ("bob", "dave", "carol")}
    return World(people.room.pk, Caller(people.bob), Caller(people.alice), Caller(people.olga), users)


def ask(caller, method, path, body, kept):
    answer = caller.ask(method, path, json.dumps(body))
    return answer.status_code, kept(answer) if answer.status_code < 300 else answer.content


def field(name):
    return lambda answer: answer.json()[name]


def note_of(_answer):
    """The words that the newest action has in the audit."""
    action = ModerationAction.objects.latest("pk")
    return action.note.text if hasattr(action, "note") else ""


def said(world):
    return world.bob.ask("POST", f"rooms/{world.room}/messages", {"body": "x"}).json()["id"]


def reported(kind):
    def answer_of(world, value):
        path = {"message": f"messages/{said(world)}", "user": f"users/{world.users['bob']}"}[kind]
        reporter = Caller(person("rita"))
        body = {"category": "spam", "text": value}
        return ask(
            reporter, "POST", f"{path}/report", body, lambda a: Report.objects.get(pk=a.json()["id"]).text
        )

    return answer_of


def decided(world, value):
    number = world.olga.ask("POST", f"messages/{said(world)}/report", {"category": "spam"}).json()["id"]
    body = {"outcome": "dismissed", "category": "spam", "reason": value}
    return ask(world.alice, "POST", f"moderation/reports/{number}/decide", body, note_of)


def newcomer(room):
    eve = person("eve")
    join_room(eve, room)
    return eve.pk


def sanctioned(world, value):
    user = newcomer(world.room)
    body = {"user": user, "kind": "warn", "room": world.room, "category": "spam", "reason": value}
    return ask(world.alice, "POST", "moderation/sanctions", body, note_of)


def cleaned(world, value):
    body = {"user": newcomer(world.room), "hours": 1, "room": world.room, "category": "spam", "reason": value}
    return ask(world.alice, "POST", "moderation/clean-ups", body, note_of)


def removed(world, value):
    body = {"category": "spam", "reason": value}
    return ask(world.alice, "DELETE", f"messages/{said(world)}", body, note_of)


def webhook(world, value):
    return ask(world.olga, "POST", "webhooks", {"room": world.room, "url": value}, field("url"))


def sent(caller, method, path, text, **more):
    """A door that takes the text in the field ``text`` and gives it back there."""
    return lambda world, value: ask(
        getattr(world, caller), method, path.format(room=world.room), {text: value, **more}, field(text)
    )


def asked(path, text, **more):
    """A door that compares the text with what it has."""
    return lambda world, value: ask(Caller(), "POST", path, {**more, text: value}, lambda answer: "")


REST = {
    "NewGuest.display_name": (
        NAME,
        lambda world, value: ask(
            Caller(), "POST", "guests", {"display_name": value}, lambda a: a.json()["user"]["display_name"]
        ),
    ),
    "ProfileChange.display_name": (NAME, sent("bob", "PATCH", "me", "display_name")),
    "NewRoom.name": (LINE, sent("olga", "POST", "rooms", "name")),
    "NewRoom.topic": (LINE, sent("olga", "POST", "rooms", "topic", name="A room")),
    "NewRoom.slug": (CODE, sent("olga", "POST", "rooms", "slug", name="A room")),
    "RoomChange.name": (LINE, sent("olga", "PATCH", "rooms/{room}", "name")),
    "RoomChange.topic": (LINE, sent("olga", "PATCH", "rooms/{room}", "topic")),
    "NewMessage.body": (BODY, sent("bob", "POST", "rooms/{room}/messages", "body")),
    "MessageChange.body": (
        BODY,
        lambda world, value: ask(
            world.bob, "PATCH", f"messages/{said(world)}", {"body": value}, field("body")
        ),
    ),
    "NewMember.display_name": (CODE, sent("olga", "POST", "rooms/{room}/members", "display_name")),
    "NewReport.text": (WORDS, reported("message")),
    "NewPersonReport.text": (WORDS, reported("user")),
    "Reason.reason": (WORDS, removed),
    "Decision.reason": (WORDS, decided),
    "NewSanction.reason": (WORDS, sanctioned),
    "CleanUp.reason": (WORDS, cleaned),
    "Password.username": (CODE, asked("auth/token", "username", password="x")),
    "Password.password": (CODE, asked("auth/token", "password", username="x")),
    "Refresh.refresh": (CODE, asked("auth/token/refresh", "refresh")),
    "NewWebhook.url": (CODE, webhook),
}
# Revoking an unknown token is done by not knowing it (RFC 7009, 2.2); a change of a webhook is its making.
QUIET = {"Revocation.token", "WebhookChange.url"}
# In addresses.
QUERIES = {"RoomQuery.slug", "RoomQuery.cursor", "EventQuery.epoch", "HeadsQuery.rooms"}


def kinds_of(kind):
    for each in kind.__subclasses__():
        yield each
        yield from kinds_of(each)


def test_no_text_of_rest_is_missing_from_the_table():
    assert moderation_inputs and webhook_views
    found = {
        f"{kind.__name__}.{name}"
        for kind in kinds_of(inputs.Input)
        for name, field in kind().fields.items()
        if isinstance(field, serializers.CharField) and not isinstance(field, serializers.UUIDField)
    }
    assert found == REST.keys() | QUIET | QUERIES


@pytest.mark.parametrize("name", sorted(REST))
def test_each_text_of_rest_is_kept_clean_or_refused(world, name):
    sort, door = REST[name]
    hold(sort, lambda value: door(world, value))


def test_texts_in_addresses_find_nothing(world):
    for value in (*CONTROLS, *BIDI, *UNSEEN, TOWER, DECOMPOSED, "'", "%", "\\", "x" * 3000):
        for path, name in (("rooms", "slug"), ("rooms", "cursor"), ("rooms/heads", "rooms")):
            answer = world.bob.client.get(f"/api/v1/{path}", {name: value})
            assert answer.status_code in {200, 400}, (path, name, ascii(value))
        answer = world.bob.client.get(f"/api/v1/rooms/{world.room}/events", {"epoch": value})
        assert answer.status_code in {200, 400, 409}
        assert world.bob.client.get("/", {"m": value}).status_code == 200
        answer = world.bob.client.post("/api/v1/auth/token/revoke", {"token": value}, "application/json")
        assert answer.status_code in {204, 400}


# --- Pages and the admin --------------------------------------------------------------------------------

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
        kept = (
            (lambda: note_of(None)) if text == "text" else lambda: getattr(Room.objects.get(pk=room.pk), text)
        )
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
        kept = (lambda: note_of(None)) if text == "text" else newest(AutomodRule, text)
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
    return desk.staff("chat_sanction_add", [], data, lambda: note_of(None))


def sanctioned_at_the_desk(desk, value):
    data = {"kind": "warn", "place": "everywhere", "lasts": "1d", "category": "spam", "text": value}
    return desk.staff("accounts_user_desk", [person("eve").pk], data, lambda: note_of(None))


def cleaned_up(desk, value):
    eve = person("eve")
    data = {"place": "everywhere", "lasts": "1d", "since": "1h", "category": "spam", "text": value}
    return desk.staff(
        "accounts_user_clean_up",
        [eve.pk],
        {**data, "confirmed": "1", "moment": clock().isoformat()},
        lambda: note_of(None),
    )


def report_decided(desk, value):
    made = report(person("rita"), Target(user_id=person("eve").pk), why=Why("spam"))
    data = {"do": "decide", "outcome": "dismissed", "decide-text": value}
    return desk.staff("chat_report_change", [made.pk], data, lambda: note_of(None))


def role_changed(desk, value):
    seat = Membership.objects.get(room=desk.around.cast.room, user=desk.around.cast.bob)
    data = {"role": "moderator" if seat.role == "member" else "member", "text": value}
    return desk.staff("chat_membership_change", [seat.pk], data, lambda: note_of(None))


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


# --- Sockets --------------------------------------------------------------------------------------------

# The text fields of each command, beside ``ref``, which goes back to who sent it.
COMMANDS = {
    ("hello", "ticket"): CODE,
    ("hello", "client"): CODE,
    ("room.open", "epoch"): CODE,
    ("message.post", "body"): BODY,
    ("message.edit", "body"): BODY,
}


def test_no_text_of_a_command_is_missing_from_the_table():
    found = {
        (command.__struct_config__.tag, name)
        for command in get_args(protocol.AnyCommand)
        for name, kind in get_type_hints(command).items()
        if name != "ref" and str in {kind, *get_args(kind)}
    }
    assert found == COMMANDS.keys()


async def test_each_text_of_a_command_is_kept_clean_or_refused(server, committed_db):
    people = await do(cast)
    room = people.room.pk
    client = await member(server.socket_url, people.bob, room)
    posted = await client.post(room, "first")
    for value in (DECOMPOSED, *CONTROLS, *BIDI, TOWER, HALF):
        wanted = None if value in {*CONTROLS, HALF} else unicodedata.normalize("NFC", value)
        for command, given in (
            ("message.post", {"room": room, "client_id": str(uuid.uuid4()), "body": value}),
            ("message.edit", {"message": posted["message"], "body": value}),
        ):
            if value == HALF:  # such a frame is no JSON, and its ref cannot be told
                await client.send(command, **given)
                with pytest.raises(Refused):
                    await client.reply(None)
                continue
            try:
                answer = await client.ask(command, **given)
                kept = await do(lambda number=answer["message"]: Message.objects.get(pk=number).body)
            except Refused as refused:
                kept = None
                assert refused.code == Code.INVALID
            assert kept == wanted, (command, ascii(value))
        if value == HALF:
            continue
        with contextlib.suppress(Refused):
            answer = await client.ask("room.open", room=room, after=0, epoch=value)
            assert answer["resync"] is True
        other = await connect(server.socket_url)
        with pytest.raises(Refused) as refusal:
            await other.ask("hello", ticket=value, client=value)
        assert refusal.value.code in {Code.INVALID, Code.UNAUTHENTICATED}
        await other.close()
    assert await client.ask("ping") == {}
    await client.close()


# --- Names ----------------------------------------------------------------------------------------------


def test_nobody_takes_a_name_that_looks_like_one_of_staff_or_is_reserved(desk):
    name = desk.root.display_name
    assert name.startswith("staff-")
    lookalikes = [
        name.replace("a", "\u0430"),
        name.upper(),
        name.replace("-", " "),
        name.replace("s", "\u0455"),
    ]
    for value in (name, *lookalikes, "Adm\u0456n", "m\u043ederator", "Supp0rt"):
        status = 400 if value not in {name, *lookalikes} else 409
        for door in ("NewGuest.display_name", "ProfileChange.display_name"):
            world = World(0, Caller(desk.account), None, None, {})
            assert REST[door][1](world, value)[0] == status, (door, ascii(value))
        assert signed_up(desk, value)[0] == status, ascii(value)
