"""A ban from the whole site: every credential is refused with the reason, none of them is lost."""

import json
import secrets
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts import tokens
from accounts.actions.bans import ban_person, lift_ban
from accounts.actions.guests import create_guest
from accounts.credentials import ended, issue_ticket, redeem_ticket, session_credential
from accounts.models import User
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code
from tests.cast import person, session_for

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
REASON = "Reason given: advertising"
WAYS = ["session", "page", "REST by cookie", "access token", "REST by token", "ticket", "refresh token"]


def in_(**more):
    return User.objects.annotate(at=ClockTimestamp() + timedelta(**more)).values_list("at", flat=True)[0]


@pytest.fixture
def bob():
    user = person("bob")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    user.refresh_from_db()
    return user


def held_by(user):
    key = session_for(user)
    pair = tokens.issue_pair(user)
    browser = Client(REMOTE_ADDR=f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.9")
    browser.cookies["session"] = key
    credential = session_credential(key)[1]
    return {
        "session": lambda: session_credential(key),
        "page": lambda: answered(browser.get("/")),
        "REST by cookie": lambda: answered(browser.get("/api/v1/me")),
        "access token": lambda: tokens.credential_of_access(pair.access),
        "REST by token": lambda: answered(
            Client().get("/api/v1/me", headers={"Authorization": f"Bearer {pair.access}"})
        ),
        "ticket": lambda: redeem_ticket(issue_ticket(user, credential)),
        "refresh token": lambda: tokens.refresh_pair(pair.refresh),
    }


def answered(response):
    if response.status_code >= 400:
        problem = json.loads(response.content) if "json" in response["Content-Type"] else {}
        words = response.content.decode()
        code = problem.get("code") or ("banned" if "You are banned here" in words else "other")
        raise AppError(Code(code), words)
    return response


@pytest.mark.parametrize("way", WAYS)
def test_what_a_banned_person_holds_is_refused_with_the_reason_and_works_when_it_is_over(bob, way):
    show = held_by(bob)[way]
    ban_person(bob, until=in_(hours=1), reason=REASON)
    with pytest.raises(AppError) as refused:
        show()
    assert refused.value.code is Code.BANNED
    assert REASON in str(refused.value) and "You are banned until" in str(refused.value)
    lift_ban(bob)
    assert show()


def test_a_ban_ends_by_itself(bob):
    key = session_for(bob)
    ban_person(bob, until=in_(seconds=-1), reason=REASON)
    assert session_credential(key)[0] == bob


def test_live_connections_are_told_that_they_end_for_a_ban(bob):
    credential = session_credential(session_for(bob))[1]
    assert ended([credential]) == {}
    ban_person(bob, until=None, reason=REASON)
    refusal = ended([credential])[credential]
    assert (refusal.code, refusal.message) == (Code.BANNED, f"You are banned. {REASON}")
    lift_ban(bob)
    assert ended([credential]) == {}


def test_nobody_signs_in_while_banned_and_only_who_knows_the_password_learns_of_it(bob):
    ban_person(bob, until=None, reason=REASON)
    sign_in = {"username": bob.username, "password": PASSWORD}

    def answer(**changed):
        return Client().post("/api/v1/auth/token", sign_in | changed, content_type="application/json")

    assert (answer().status_code, answer().json()["code"]) == (403, "banned")
    assert answer(password="wrong").json()["code"] == "unauthenticated"
    page = Client().post("/accounts/login/", {"login": bob.username, "password": PASSWORD})
    assert page.status_code == 403 and REASON in page.content.decode()


def test_a_banned_guest_does_not_come_back_by_another_name_in_the_same_browser():
    guest = create_guest(f"gil-{secrets.token_hex(4)}")
    browser = Client()
    browser.cookies["session"] = session_for(guest)
    ban_person(guest, until=None, reason=REASON)
    again = browser.post("/accounts/guest/", {"display_name": f"gus-{secrets.token_hex(4)}"})
    assert again.status_code == 403


def test_a_banned_person_can_sign_out_of_a_shared_browser(bob):
    browser = Client()
    browser.cookies["session"] = session_for(bob)
    ban_person(bob, until=None, reason=REASON)
    assert browser.post("/accounts/logout/").status_code == 302
    assert browser.get("/").status_code == 200
