"""The pages of applications, and what staff do with them."""

import uuid

import pytest
from django.urls import reverse

from accounts.actions.guests import create_guest
from accounts.models import Application, ApplicationStatus
from tests.cast import person
from tests.oauth import REDIRECT, App, browser_of
from tests.scenes import employ

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    return person("bob")


def form(**changed):
    values = {
        "name": f"Tea {uuid.uuid4().hex[:8]}",
        "description": "Tells when the water boils",
        "website": "https://tea.example",
        "kind": "confidential",
        "redirect_uris": f"{REDIRECT}\nhttp://127.0.0.1:4711/back",
        "scopes": ["profile:read", "messages:write"],
    }
    return {**values, **changed}


def test_a_person_registers_an_application_and_sees_its_secret_once(bob):
    browser = browser_of(bob)
    made = browser.post("/accounts/applications/new/", form())
    row = Application.objects.get(user=bob)
    assert made.status_code == 201 and row.client_id in made.content.decode()
    assert "It is not shown again" in made.content.decode() or "not shown again" in made.content.decode()
    assert (row.status, row.allowed_scopes) == ("pending", "profile:read messages:write")
    later = browser.get(f"/accounts/applications/{row.pk}/").content.decode()
    assert row.client_id in later and "not shown again" not in later
    assert row.name in browser.get("/accounts/applications/").content.decode()


BAD = [
    ({"name": ""}, "This field is required"),
    ({"name": "admin"}, "name"),
    ({"redirect_uris": ""}, "Give 1 to 10 addresses"),
    ({"redirect_uris": "http://tea.example/back"}, "an https address"),
    ({"redirect_uris": "https://tea.example/back#x"}, "an https address"),
    ({"redirect_uris": "https://*.tea.example/"}, "an https address"),
    ({"redirect_uris": "javascript:alert(1)"}, "an https address"),
    ({"scopes": []}, "This field is required"),
    ({"scopes": ["everything"]}, "not one of the available choices"),
    ({"website": "javascript:alert(1)"}, "valid URL"),
]


@pytest.mark.parametrize(("changed", "words"), BAD, ids=str)
def test_bad_input_is_told_in_the_form(bob, changed, words):
    answer = browser_of(bob).post("/accounts/applications/new/", form(**changed))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Application.objects.filter(user=bob).exists()


def test_it_is_changed_renewed_and_removed_by_its_owner_alone(bob):
    app = App()
    page = f"/accounts/applications/{app.row.pk}/"
    for stranger in (bob, create_guest(f"gil-{uuid.uuid4().hex[:8]}")):
        assert browser_of(stranger).post(page, {"remove": "1"}).status_code in {302, 404}
    assert Application.objects.filter(pk=app.row.pk).exists()
    owner = browser_of(app.owner)
    new = {"description": "Other", "website": "", "redirect_uris": "https://tea.example/new"}
    assert owner.post(page, new).status_code == 302
    assert Application.objects.get(pk=app.row.pk).redirect_uris == "https://tea.example/new"
    assert owner.post(page, {**new, "redirect_uris": "nonsense"}).status_code == 400
    assert "not shown again" in owner.post(page, {"renew": "1"}).content.decode()
    assert app.token(grant_type="client_credentials").json()["error"] == "invalid_client"
    assert owner.post(page, {"remove": "1"}).status_code == 302
    assert not Application.objects.filter(pk=app.row.pk).exists()


def test_staff_approve_limit_and_suspend(bob):
    app, root = App(alone=True, approved=False), employ(root=True)
    browser = browser_of(root)
    chosen = {"_selected_action": [app.row.pk]}
    listed = reverse("admin:accounts_application_changelist")
    browser.post(listed, {"action": "approve", **chosen})
    app.row.refresh_from_db()
    assert app.row.status == ApplicationStatus.APPROVED and app.row.bot is not None
    assert app.own_token()
    page = reverse("admin:accounts_application_change", args=[app.row.pk])
    browser.post(page, {"allowed_scopes": "profile:read", "requests_per_minute": 5})
    app.row.refresh_from_db()
    assert (app.row.allowed_scopes, app.row.requests_per_minute) == ("profile:read", 5)
    browser.post(listed, {"action": "suspend", **chosen})
    assert app.token(grant_type="client_credentials").status_code in {400, 401}
    assert browser_of(bob).get(listed).status_code == 302
