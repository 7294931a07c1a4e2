"""People in Django admin: staff act through the same actions as everybody."""

import secrets
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts import tokens
from accounts.actions.guests import create_guest
from accounts.credentials import ended, session_credential
from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def person(**more):
    name = f"p-{uuid.uuid4().hex[:16]}"
    return User.objects.create_user(name, f"{name}@example.org", PASSWORD, display_name=name, **more)


def browser_of(user):
    client = Client(REMOTE_ADDR=f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.8")
    client.force_login(user)
    return client


def credentials_of(user):
    session = session_credential(browser_of(user).session.session_key)[1]
    family = tokens.credential_of_access(tokens.issue_pair(user).access)[1]
    return {session, family}


@pytest.fixture
def root():
    return person(is_staff=True, is_superuser=True)


@pytest.fixture
def helper():
    """Staff who may view and change people, and nothing else."""
    user = person(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def act(client, action, *people):
    form = {"action": action, "_selected_action": [user.pk for user in people], "confirmed": "1"}
    return client.post(reverse("admin:accounts_user_changelist"), form)


def test_the_admin_has_no_sign_in_of_its_own():
    page = reverse("admin:accounts_user_changelist")
    led = Client().get(page)
    assert led.url == f"{reverse('admin:login')}?next={page}"
    login = Client().get(led.url)
    assert login.url.startswith(f"{reverse('account_login')}?next=")
    attempt = Client().post(led.url, {"username": "admin", "password": "x"})
    assert attempt.url.startswith(reverse("account_login"))


def test_sign_in_leads_back_to_the_admin(root):
    client = Client(REMOTE_ADDR=f"10.9.{secrets.randbelow(256)}.8")
    page = reverse("admin:index")
    form = {"login": root.email, "password": PASSWORD, "next": page}
    assert client.post(reverse("account_login"), form).url == page
    assert client.get(page).status_code == 200
    assert client.get(reverse("admin:login"), {"next": page}).url == page


def test_only_staff_come_in(root):
    cast = {"root": root, "account": person(), "guest": create_guest(f"Gil {uuid.uuid4().hex[:8]}")}
    login = reverse("admin:login")
    answers = {who: browser_of(user).get(login).status_code for who, user in cast.items()}
    assert answers == {"root": 302, "account": 403, "guest": 302}
    pages = {who: browser_of(user).get(reverse("admin:index")).status_code for who, user in cast.items()}
    assert pages == {"root": 200, "account": 302, "guest": 302}


def test_admin_sign_out_ends_the_session(root):
    client = browser_of(root)
    credential = session_credential(client.session.session_key)[1]
    client.post(reverse("admin:logout"))
    assert ended([credential]).keys() == {credential}


def test_lists_search_and_forms_open(root):
    bob, gil = person(), create_guest(f"Gil {uuid.uuid4().hex[:8]}")
    tokens.issue_pair(bob)
    client = browser_of(root)
    found = client.get(reverse("admin:accounts_user_changelist"), {"q": bob.email}).content.decode()
    assert bob.username in found
    assert gil.display_name not in found
    for user in (bob, gil, root):
        assert client.get(reverse("admin:accounts_user_change", args=[user.pk])).status_code == 200
    for page in ("accounts_user_add", "accounts_tokenfamily_changelist", "password_change"):
        assert client.get(reverse(f"admin:{page}")).status_code in {200, 302}


def test_actions_end_what_people_hold(root):
    client = browser_of(root)
    bob = person()
    held = credentials_of(bob)
    act(client, "log_out_everywhere", bob)
    assert ended(held).keys() == held
    bob.refresh_from_db()
    assert bob.is_active
    held = credentials_of(bob)
    act(client, "deactivate_people", bob, root)
    assert ended(held).keys() == held
    bob.refresh_from_db()
    root.refresh_from_db()
    assert not bob.is_active
    assert root.is_active
    act(client, "reactivate_people", bob)
    bob.refresh_from_db()
    assert bob.is_active
    assert ended(held).keys() == held


def test_the_form_cannot_pass_the_actions(root):
    bob = person()
    client = browser_of(root)
    form = {"is_active": "", "display_name": "Admin", "email": "x@example.org", "epoch": 9, "is_staff": "on"}
    response = client.post(reverse("admin:accounts_user_change", args=[bob.pk]), form)
    assert response.status_code == 302
    before = (bob.is_active, bob.display_name, bob.email, bob.epoch)
    bob.refresh_from_db()
    assert (bob.is_active, bob.display_name, bob.email, bob.epoch) == before
    assert bob.is_staff


def test_a_password_set_by_staff_ends_what_the_person_held(root):
    bob = person()
    held = credentials_of(bob)
    page = reverse("admin:auth_user_password_change", args=[bob.pk])
    form = {
        "usable_password": "true",
        "password1": "a wholly other phrase",
        "password2": "a wholly other phrase",
    }
    assert browser_of(root).post(page, form).status_code == 302
    assert ended(held).keys() == held
    bob.refresh_from_db()
    assert bob.check_password("a wholly other phrase")


def test_staff_make_accounts(root):
    name = f"mod-{uuid.uuid4().hex[:8]}"
    form = {
        "username": name.upper(),
        "email": f"{name}@example.org",
        "display_name": f"Moderator {name}",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert browser_of(root).post(reverse("admin:accounts_user_add"), form).status_code == 302
    made = User.objects.get(username=name)
    assert made.display_name == f"Moderator {name}"
    assert made.check_password(PASSWORD)
    again = browser_of(root).post(reverse("admin:accounts_user_add"), {**form, "username": f"{name}2"})
    assert again.status_code == 200


def test_helpers_may_not_change_those_above_them_nor_give_rights(root, helper):
    client = browser_of(helper)
    bob = person()
    held = credentials_of(root) | credentials_of(bob)
    act(client, "deactivate_people", root, bob)
    root.refresh_from_db()
    bob.refresh_from_db()
    assert (root.is_active, bob.is_active) == (True, False)
    assert {credential.user_id for credential in ended(held)} == {bob.pk}
    form = {
        "usable_password": "true",
        "password1": "a wholly other phrase",
        "password2": "a wholly other phrase",
    }
    page = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(page, form).status_code == 403
    client.post(reverse("admin:accounts_user_change", args=[helper.pk]), {"is_superuser": "on"})
    helper.refresh_from_db()
    assert not helper.is_superuser


def test_nobody_is_deleted(root):
    bob = person()
    assert (
        browser_of(root)
        .post(reverse("admin:accounts_user_delete", args=[bob.pk]), {"post": "yes"})
        .status_code
        == 403
    )
