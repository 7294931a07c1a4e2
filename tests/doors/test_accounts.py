"""The account pages, asked as a browser asks them."""

import re
import secrets
import uuid

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.actions.guests import create_guest
from accounts.actions.revocation import deactivate
from accounts.credentials import ended, session_credential
from accounts.models import User
from chatproject import limits
from chatproject.limits import SIGN_IN_PER_ADDRESS, SIGN_IN_PER_NAME, SIGN_UP_PER_ADDRESS

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
OTHER = "a wholly other phrase"


def client_at(address=None):
    """A browser at an address of its own, so that tests do not share a limit."""
    return Client(REMOTE_ADDR=address or f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.9")


@pytest.fixture
def client():
    return client_at()


@pytest.fixture
def bob():
    name = f"bob-{uuid.uuid4().hex[:16]}"
    return User.objects.create_user(name, f"{name}@example.org", PASSWORD, display_name=name)


@pytest.fixture
def name():
    return f"Noor {uuid.uuid4().hex[:12]}"


def credential_of(client):
    found = session_credential(client.session.session_key)
    return found[1] if found else None


def sign_in(client, who, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": who, "password": password, **more})


def text(response):
    return response.content.decode()


# --- Sign-up ---


def sign_up(client, name, email=None, password=PASSWORD, **more):
    email = email or f"{uuid.uuid4().hex}@example.org"
    form = {"display_name": name, "email": email, "password1": password, **more}
    return client.post(reverse("account_signup"), form)


def test_sign_up_makes_an_account_and_signs_in(client, name):
    assert client.get(reverse("account_signup")).status_code == 200
    response = sign_up(client, name, email="Some.One@Example.org")
    assert (response.status_code, response.url) == (302, "/")
    user = User.objects.get(display_name=name)
    assert credential_of(client).user_id == user.pk
    assert user.email == "some.one@example.org"
    assert re.fullmatch(r"noor[0-9a-f]+-[0-9a-f]{8}", user.username)
    assert identify_hasher(user.password).algorithm == "argon2"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"display_name": "Admin"}, 400),
        ({"display_name": "a\u202eb"}, 400),
        ({"email": "nonsense"}, 400),
        ({"password1": "short"}, 400),
        ({"password1": "password123"}, 400),
        ({"password1": ""}, 400),
    ],
)
def test_sign_up_refuses_and_makes_nothing(client, name, wrong, status):
    before = User.objects.count()
    response = sign_up(client, name, **wrong)
    assert response.status_code == status
    assert "field--wrong" in text(response)
    assert User.objects.count() == before
    assert credential_of(client) is None


def test_sign_up_with_a_taken_name_offers_a_free_one(client, name):
    create_guest(name)
    response = sign_up(client, name.upper())
    assert response.status_code == 409
    assert f"“{name.upper()} 2” is free" in text(response)


def test_sign_up_with_a_taken_address_is_refused(client, name, bob):
    response = sign_up(client, name, email=bob.email.upper())
    assert response.status_code == 400
    assert "has an account" in text(response)


def test_sign_up_is_limited_by_address_before_anything_is_looked_up(name, bob):
    address = f"10.77.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    for _ in range(SIGN_UP_PER_ADDRESS.count):
        sign_up(client_at(address), name, password="short")
    response = sign_up(client_at(address), name, email=bob.email)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "has an account" not in text(response)
    assert PASSWORD not in text(response)


def test_a_guest_who_signs_up_keeps_what_is_theirs(client, name):
    client.post(reverse("account_guest"), {"display_name": name})
    guest = User.objects.get(display_name=name)
    before = credential_of(client)
    pair = tokens.issue_pair(guest)
    assert name in text(client.get(reverse("account_signup")))
    assert sign_up(client, name).status_code == 302
    guest.refresh_from_db()
    assert not guest.is_guest
    assert guest.username
    assert credential_of(client).user_id == guest.pk
    assert ended([before]).keys() == {before}
    with pytest.raises(Exception, match="unauthenticated"):
        tokens.credential_of_access(pair.access)


# --- Sign-in and sign-out ---


@pytest.mark.parametrize("by", ["email", "username"])
def test_sign_in_by_email_or_username(client, bob, by):
    assert client.get(reverse("account_login")).status_code == 200
    response = sign_in(client, getattr(bob, by).upper(), next="/rooms/lobby/")
    assert (response.status_code, response.url) == (302, "/rooms/lobby/")
    assert credential_of(client).user_id == bob.pk


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_sign_in_leads_nowhere_else(client, bob, target):
    assert sign_in(client, bob.email, next=target).url == "/"


def test_wrong_name_and_wrong_password_are_one_answer(client, bob):
    answers = [
        sign_in(client, bob.email, "wrong"),
        sign_in(client, "nobody@example.org"),
        sign_in(client, "nobody"),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert "Name and password do not fit." in text(answer)
    assert credential_of(client) is None


def test_a_deactivated_person_cannot_sign_in(client, bob):
    deactivate(bob)
    assert sign_in(client, bob.email).url == reverse("account_inactive")
    assert client.get(reverse("account_inactive")).status_code == 200
    assert credential_of(client) is None
    assert "do not fit" in text(sign_in(client, bob.email, "wrong"))


def test_sign_in_takes_a_new_session_key(client, bob):
    client.get(reverse("account_login"))
    session = client.session
    session["a"] = 1
    session.save()
    client.cookies["session"] = session.session_key
    sign_in(client, bob.email)
    assert client.session.session_key != session.session_key


def test_sign_in_is_limited_by_name_over_all_addresses(bob):
    for _ in range(SIGN_IN_PER_NAME.count):
        assert sign_in(client_at(), bob.email, "wrong").status_code == 400
    response = sign_in(client_at(), bob.email.upper())
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many tries" in text(response)


def test_sign_in_is_limited_by_address_over_all_names(bob):
    address = f"10.78.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    assert sign_in(client_at(address), uuid.uuid4().hex).status_code == 400
    # The rest at once: as many sign-ins would take so long that the first is forgiven meanwhile.
    for _ in range(SIGN_IN_PER_ADDRESS.count):
        limits.consume(SIGN_IN_PER_ADDRESS, address)
    assert sign_in(client_at(address), bob.email).status_code == 429
    assert sign_in(client_at(), bob.email).status_code == 302


def test_a_guest_may_sign_in_and_stops_being_the_guest(client, bob, name):
    client.post(reverse("account_guest"), {"display_name": name})
    guest = credential_of(client)
    assert client.get(reverse("account_login")).status_code == 200
    sign_in(client, bob.email)
    assert credential_of(client).user_id == bob.pk
    assert ended([guest]).keys() == {guest}


def test_who_is_signed_in_is_sent_on(client, bob):
    sign_in(client, bob.email)
    for page in ("account_login", "account_signup", "account_guest"):
        response = client.get(reverse(page), {"next": "/rooms/lobby/"})
        assert response.url == "/rooms/lobby/"


def test_sign_out_ends_this_session_only(client, bob):
    other = client_at()
    sign_in(client, bob.email)
    sign_in(other, bob.email)
    here, there = credential_of(client), credential_of(other)
    assert client.get(reverse("account_logout")).status_code == 200
    assert credential_of(client)
    assert client.post(reverse("account_logout")).url == "/"
    assert ended([here, there]).keys() == {here}
    assert credential_of(client) is None


def test_sign_out_everywhere_ends_all(client, bob):
    other = client_at()
    sign_in(client, bob.email)
    sign_in(other, bob.email)
    pair = tokens.issue_pair(bob)
    family = tokens.credential_of_access(pair.access)[1]
    all_of_them = {credential_of(client), credential_of(other), family}
    client.post(reverse("account_logout"), {"everywhere": "1"})
    assert ended(all_of_them).keys() == all_of_them


def test_forms_without_a_csrf_token_are_refused(bob):
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, bob.email).status_code == 403
    assert strict.post(reverse("account_guest"), {"display_name": "Gil"}).status_code == 403


# --- Passwords ---


def test_password_change_keeps_this_session_and_ends_the_others(client, bob):
    other = client_at()
    sign_in(client, bob.email)
    sign_in(other, bob.email)
    elsewhere = credential_of(other)
    page = reverse("account_change_password")
    assert client.get(page).status_code == 200
    wrong = client.post(page, {"oldpassword": "wrong", "password1": OTHER, "password2": OTHER})
    assert wrong.status_code == 400
    assert credential_of(other)
    done = client.post(page, {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER})
    assert done.url == reverse("account_password_changed")
    assert client.get(done.url).status_code == 200
    assert credential_of(client).user_id == bob.pk
    assert ended([elsewhere]).keys() == {elsewhere}
    assert sign_in(client_at(), bob.email, OTHER).status_code == 302


def test_a_guest_has_no_password_to_change(client, name):
    client.post(reverse("account_guest"), {"display_name": name})
    assert client.get(reverse("account_change_password")).url == reverse("account_signup")


def test_a_visitor_is_led_to_the_sign_in(client):
    for page in ("account_change_password", "account_name"):
        assert client.get(reverse(page)).url == f"{reverse('account_login')}?next={reverse(page)}"


def test_password_reset_by_mail(client, bob, mailoutbox, settings):
    pair = tokens.issue_pair(bob)
    page = reverse("account_reset_password")
    assert client.get(page).status_code == 200
    asked = client.post(page, {"email": bob.email}, headers={"host": "localhost"})
    assert asked.url == reverse("account_reset_password_done")
    assert client.get(asked.url).status_code == 200
    (mail,) = mailoutbox
    assert mail.to == [bob.email]
    (link,) = re.findall(r"https?://\S+", mail.body)
    assert link.startswith(f"{settings.SITE_URL}/accounts/password/reset/key/")
    path = link.removeprefix(settings.SITE_URL)
    form_url = client.get(path).url
    assert client.get(form_url).status_code == 200
    assert client.post(form_url, {"password1": OTHER, "password2": "different"}).status_code == 400
    done = client.post(form_url, {"password1": OTHER, "password2": OTHER})
    assert done.url == reverse("account_reset_password_from_key_done")
    assert client.get(done.url).status_code == 200
    with pytest.raises(Exception, match="unauthenticated"):
        tokens.credential_of_access(pair.access)
    assert sign_in(client_at(), bob.email, OTHER).status_code == 302
    used = client_at().get(path)
    assert "no longer works" in text(used)


def test_password_reset_tells_nobody_who_has_an_account(client, bob, mailoutbox):
    page = reverse("account_reset_password")
    known = client.post(page, {"email": bob.email})
    unknown = client.post(page, {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [len(mail.to) for mail in mailoutbox] == [1, 1]


def test_password_reset_is_limited_by_the_address_mailed(bob, mailoutbox):
    statuses = [
        client_at().post(reverse("account_reset_password"), {"email": bob.email}).status_code
        for _ in range(4)
    ]
    assert statuses == [302, 302, 302, 429]
    assert len(mailoutbox) == 3


# --- Guests and names ---


JSON = {"accept": "application/json"}


def test_a_visitor_becomes_a_guest(client, name):
    page = reverse("account_guest")
    assert client.get(page).status_code == 200
    response = client.post(page, {"display_name": f" {name} ", "next": "/rooms/lobby/"})
    assert response.url == "/rooms/lobby/"
    guest = User.objects.get(display_name=name)
    assert guest.is_guest
    assert credential_of(client).user_id == guest.pk


@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_a_visitor_becomes_a_guest_by_json(client, name, content_type):
    kind = {"content_type": content_type} if content_type else {}
    response = client.post(reverse("account_guest"), {"display_name": name}, headers=JSON, **kind)
    assert response.status_code == 201
    body = response.json()
    guest = User.objects.get(display_name=name)
    assert body["user"] == {"id": guest.pk, "display_name": name, "is_guest": True}
    assert body["csrf"]


def test_a_taken_name_comes_with_a_free_one(client, name):
    create_guest(name)
    response = client.post(reverse("account_guest"), {"display_name": name}, headers=JSON)
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    fields = response.json()["fields"]
    assert fields["display_name"] == [f"{name} is taken here."]
    free = fields["suggestion"][0]
    assert client.post(reverse("account_guest"), {"display_name": free}, headers=JSON).status_code == 201
    page = client_at().post(reverse("account_guest"), {"display_name": name})
    assert page.status_code == 409
    assert f"“{name} 3” is free" in text(page)


@pytest.mark.parametrize("bad", ["", "   ", "admin", "a\u202eb", "x" * 41, "a\0b"])
def test_a_bad_name_is_refused(client, bad):
    for headers in ({}, JSON):
        response = client.post(reverse("account_guest"), {"display_name": bad}, headers=headers)
        assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert response.json()["fields"]["display_name"]
    assert credential_of(client) is None


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "7", '{"display_name": 7}', "\xff"])
def test_a_bad_body_is_refused(client, body):
    response = client.post(reverse("account_guest"), body.encode("latin-1"), "application/json", headers=JSON)
    assert response.status_code == 400


def test_one_guest_a_browser(client, name):
    client.post(reverse("account_guest"), {"display_name": name})
    response = client.post(reverse("account_guest"), {"display_name": f"{name} b"}, headers=JSON)
    assert response.status_code == 409
    assert not User.objects.filter(display_name=f"{name} b").exists()


def test_a_released_name_is_free_and_its_guest_may_not_use_it(client, name):
    client.post(reverse("account_guest"), {"display_name": name})
    User.objects.filter(display_name=name).update(name_released_at=timezone.now(), epoch=1)
    assert credential_of(client) is None
    assert client_at().post(reverse("account_guest"), {"display_name": name}).status_code == 302


def test_a_new_name(client, bob, name):
    sign_in(client, bob.email)
    page = reverse("account_name")
    assert bob.display_name in text(client.get(page))
    assert client.post(page, {"display_name": name}).url == "/"
    bob.refresh_from_db()
    assert bob.display_name == name
    create_guest(f"{name} b")
    assert client.post(page, {"display_name": f"{name} B"}).status_code == 409
    assert client.post(page, {"display_name": "Moderator"}).status_code == 400
    other = client.post(page, {"display_name": f"{name} c"}, headers=JSON)
    assert other.json()["user"]["display_name"] == f"{name} c"
    # One's own name in another spelling is one's own.
    assert client.post(page, {"display_name": f"{name.upper()} C"}).status_code == 302


def test_a_visitor_has_no_name_to_change(client):
    response = client.post(reverse("account_name"), {"display_name": "Gil"}, headers=JSON)
    assert response.status_code == 401


def test_being_here_renews_the_session_at_most_once_an_hour(client, bob):
    sign_in(client, bob.email)
    page = reverse("account_name")
    assert "session" not in client.get(page).cookies
    User.objects.filter(pk=bob.pk).update(last_seen_at=timezone.now() - timezone.timedelta(hours=2))
    assert "session" in client.get(page).cookies
    assert "session" not in client.get(page).cookies
