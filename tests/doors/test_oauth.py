"""OAuth 2: the flows that work, and those of RFC 9700 and RFC 8725 that must not."""

import base64
import uuid

import jwt
import pytest
from django.conf import settings
from django.test import Client
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from accounts.actions.applications import suspend_application, take_consent_back
from accounts.actions.bans import ban_person, lift_ban
from accounts.actions.guests import create_guest
from accounts.actions.revocation import deactivate, end_all_credentials
from accounts.models import Application, Consent
from accounts.tokens import issue_pair
from tests.cast import person
from tests.oauth import REDIRECT, App, bearer, browser_of, landed

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return App()


@pytest.fixture
def bob():
    return person("bob")


def me(token):
    return Client().get("/api/v1/me", **bearer(token))


def error_of(response):
    return response.status_code, response.json()["error"]


# --- The ways in ---


@pytest.mark.parametrize("confidential", [True, False])
def test_a_person_lets_an_application_in(bob, confidential):
    app = App(confidential=confidential)
    page = app.ask(browser_of(bob)).content.decode()
    assert app.row.name in page and "Read the messages of your rooms" in page
    back = app.allow(browser_of(bob))
    assert (back["state"], back["iss"]) == ("xyz", settings.SITE_URL)
    answer = app.redeem(back["code"])
    assert answer["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert tokens["scope"] == "profile:read messages:read messages:write"
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert me(tokens["access_token"]).json()["id"] == bob.pk
    again = app.refresh(tokens["refresh_token"]).json()
    assert again["scope"] == tokens["scope"]
    assert me(again["access_token"]).status_code == 200
    assert me(tokens["access_token"]).status_code == 401


def test_nothing_that_can_be_used_lies_in_the_database(app, bob):
    code = app.allow(browser_of(bob))["code"]
    assert not get_grant_model().objects.filter(code=code).exists()
    assert get_grant_model().objects.filter(application=app.row).count() == 1
    tokens = app.redeem(code).json()
    for model in (get_access_token_model(), get_refresh_token_model()):
        assert set(model.objects.filter(application=app.row).values_list("token", flat=True)) == {""}
    assert app.secret not in Application.objects.get(pk=app.row.pk).client_secret
    assert tokens["access_token"] not in str(list(get_access_token_model().objects.values()))


def test_consent_is_asked_for_once_and_can_be_taken_back(app, bob):
    tokens = app.tokens_for(bob)
    assert "code" in landed(app.ask(browser_of(bob)))
    assert app.ask(browser_of(bob), prompt="consent").status_code == 200
    assert app.ask(browser_of(bob), scope="rooms:write").status_code == 200
    page = browser_of(bob).get("/accounts/applications/").content.decode()
    assert app.row.name in page and "Write, edit and delete messages in your name" in page
    browser_of(bob).post("/accounts/applications/", {"application": app.row.pk})
    assert me(tokens["access_token"]).status_code == 401
    assert error_of(app.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert app.ask(browser_of(bob)).status_code == 200
    assert not Consent.objects.filter(user=bob).exists()


def test_an_application_on_a_device_asks_each_time(bob):
    app = App(confidential=False, redirect="http://127.0.0.1:4711/back")
    app.tokens_for(bob)
    assert app.ask(browser_of(bob)).status_code == 200
    # The port of the moment is the device's to choose (RFC 8252, 7.3).
    assert app.ask(browser_of(bob), redirect_uri="http://127.0.0.1:5822/back").status_code == 200
    assert app.ask(browser_of(bob), redirect_uri="http://localhost:4711/back").status_code == 400


def test_a_bot_acts_as_itself():
    app = App(alone=True)
    token = app.own_token(scope="profile:read rooms:read")
    bot = Application.objects.get(pk=app.row.pk).bot
    assert me(token).json() == {"id": bot.pk, "display_name": app.row.name, "is_guest": False}
    assert bot.is_bot and not bot.has_usable_password()
    ban_person(bot, until=None, reason="")
    assert me(token).status_code == 401
    assert error_of(app.token(grant_type="client_credentials"))[1] == "unauthorized_client"


def test_who_says_no_is_led_back_without_a_code(app, bob):
    back = app.allow(browser_of(bob), allow=False)
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "xyz", settings.SITE_URL)
    assert not Consent.objects.exists()


def test_only_accounts_let_applications_in(app):
    for browser in (Client(), browser_of(create_guest(f"gil-{uuid.uuid4().hex[:8]}"))):
        led = app.ask(browser)
        assert led.status_code == 302 and led["Location"].startswith("/accounts/login/?next=/o/authorize/")


def test_the_metadata_tell_what_is_true():
    data = Client().get("/.well-known/oauth-authorization-server").json()
    assert data["issuer"] == settings.SITE_URL
    assert data["authorization_endpoint"] == f"{settings.SITE_URL}/o/authorize/"
    assert data["response_types_supported"] == ["code"]
    assert data["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]
    assert data["code_challenge_methods_supported"] == ["S256"]
    assert data["authorization_response_iss_parameter_supported"] is True
    assert "messages:write" in data["scopes_supported"]


# --- Requests that must not work ---

WITH_ERROR_PAGE = [
    ("an unknown redirect address", {"redirect_uri": "https://evil.example/callback"}),
    ("another path", {"redirect_uri": f"{REDIRECT}/more"}),
    ("an extra parameter", {"redirect_uri": f"{REDIRECT}?next=evil"}),
    ("a fragment", {"redirect_uri": f"{REDIRECT}#x"}),
    ("a user name", {"redirect_uri": "https://client.example@evil.example/callback"}),
    ("another scheme", {"redirect_uri": "http://client.example/callback"}),
    ("an unknown application", {"client_id": "nobody"}),
    ("NUL in the id", {"client_id": "a\0b"}),
]


@pytest.mark.parametrize(("what", "changed"), WITH_ERROR_PAGE, ids=str)
def test_a_request_that_could_lead_astray_leads_nowhere(app, bob, what, changed):
    page = app.ask(browser_of(bob), **changed)
    assert page.status_code == 400
    assert "Location" not in page


LED_BACK = [
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("a scope that it may not ask for", {"scope": "moderation:write"}, "invalid_scope"),
    ("an unknown scope", {"scope": "everything"}, "invalid_scope"),
    ("the implicit way", {"response_type": "token"}, "unsupported_response_type"),
]


@pytest.mark.parametrize(("what", "changed", "error"), LED_BACK, ids=str)
def test_a_wrong_request_is_told_to_the_application(app, bob, what, changed, error):
    back = landed(app.ask(browser_of(bob), **changed))
    assert (back["error"], back.get("code")) in {(error, None), ("unauthorized_client", None)}


def test_plain_pkce_gives_no_code(app, bob):
    query = {"code_challenge": app.verifier, "code_challenge_method": "plain"}
    assert "code" not in app.allow(browser_of(bob), **query)
    assert not get_grant_model().objects.exists()


def test_a_code_works_once_for_its_application_with_its_verifier_and_address(app, bob):
    def code():
        return app.allow(browser_of(bob))["code"]

    other = App()
    assert error_of(app.redeem(code(), code_verifier="x" * 64)) == (400, "invalid_grant")
    assert error_of(app.redeem(code(), code_verifier=None))[0] == 400
    assert error_of(app.redeem(code(), redirect_uri="https://client.example/other"))[0] == 400
    assert error_of(app.redeem(code(), client_secret="wrong")) == (401, "invalid_client")
    assert error_of(other.redeem(code(), code_verifier=app.verifier)) == (400, "invalid_grant")
    once = code()
    tokens = app.redeem(once).json()
    assert error_of(other.redeem(once, code_verifier=app.verifier)) == (400, "invalid_grant")
    assert me(tokens["access_token"]).status_code == 200


def test_a_code_that_is_shown_again_ends_the_tokens_it_gave(app, bob):
    other = app.tokens_for(bob)
    code = app.allow(browser_of(bob))["code"]
    first = app.redeem(code).json()
    second = app.refresh(first["refresh_token"]).json()
    assert error_of(app.redeem(code)) == (400, "invalid_grant")
    assert me(second["access_token"]).status_code == 401
    assert error_of(app.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert me(other["access_token"]).status_code == 200


def test_a_refresh_token_that_is_shown_again_ends_its_family(app, bob):
    first = app.tokens_for(bob)
    second = app.refresh(first["refresh_token"]).json()
    assert error_of(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert error_of(app.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert me(second["access_token"]).status_code == 401


def test_a_refresh_gives_no_more_scopes_and_to_nobody_else(app, bob):
    tokens = app.tokens_for(bob, scope="profile:read")
    assert error_of(app.refresh(tokens["refresh_token"], scope="messages:write")) == (400, "invalid_scope")
    other = App()
    assert error_of(other.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert error_of(app.refresh("nonsense")) == (400, "invalid_grant")


def test_grants_that_the_application_has_not_are_refused(app, bob):
    assert error_of(app.token(grant_type="password", username="x", password="y"))[0] == 400
    assert error_of(app.token(grant_type="client_credentials")) == (400, "unauthorized_client")
    assert error_of(app.token(grant_type="made-up")) == (400, "unsupported_grant_type")
    waiting = App(alone=True, approved=False)
    assert error_of(waiting.token(grant_type="client_credentials")) == (400, "unauthorized_client")


def test_tokens_stay_out_of_addresses(app, bob):
    token = app.tokens_for(bob)["access_token"]
    assert Client().get(f"/api/v1/me?access_token={token}").status_code in {400, 401}
    assert error_of(Client().post(f"/o/token/?client_id={app.id}"))[0] == 400
    assert Client().get("/o/introspect/", {"token": token}).status_code == 405


def test_each_kind_of_token_is_only_what_it_is(app, bob):
    tokens, pair = app.tokens_for(bob), issue_pair(bob)
    for wrong in (tokens["refresh_token"], pair.refresh, "a.b.c", "", f"{tokens['access_token']}x"):
        assert me(wrong).status_code == 401, wrong
    assert error_of(app.refresh(pair.refresh)) == (400, "invalid_grant")
    assert error_of(app.refresh(tokens["access_token"])) == (400, "invalid_grant")
    swapped = Client().post(
        "/api/v1/auth/token/refresh", {"refresh": tokens["refresh_token"]}, content_type="application/json"
    )
    assert swapped.status_code == 401


def test_a_jwt_of_a_foreign_kind_is_none(bob):
    claims = jwt.decode(issue_pair(bob).access, options={"verify_signature": False})
    for algorithm, key in (("none", None), ("HS256", "guessed-secret-guessed-secret-guessed")):
        forged = jwt.encode(claims, key, algorithm=algorithm)
        assert me(forged).status_code == 401
    header, payload, _ = issue_pair(bob).access.split(".")
    bare = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    assert me(f"{bare}.{payload}.").status_code == 401
    assert me(f"{header}.{payload}.").status_code == 401


# --- The end ---


def test_whoever_is_not_let_in_has_no_codes_and_tokens_either(app, bob):
    tokens = app.tokens_for(bob)
    code = app.allow(browser_of(bob))["code"]
    ban_person(bob, until=None, reason="")
    assert me(tokens["access_token"]).status_code in {401, 403}
    assert error_of(app.redeem(code)) == (400, "invalid_grant")
    assert error_of(app.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    lift_ban(bob)
    fresh = app.tokens_for(bob)
    deactivate(bob)
    assert me(fresh["access_token"]).status_code == 401
    assert error_of(app.refresh(fresh["refresh_token"])) == (400, "invalid_grant")


def test_signing_out_everywhere_ends_what_applications_hold(app, bob):
    tokens = app.tokens_for(bob)
    end_all_credentials(bob)
    assert me(tokens["access_token"]).status_code == 401
    assert error_of(app.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_one_token_ends_the_pair(app, bob, which):
    tokens = app.tokens_for(bob)
    stranger = App()
    strange = {"token": tokens[which], "client_id": stranger.id, "client_secret": stranger.secret}
    assert Client().post("/o/revoke/", strange).status_code == 200
    assert me(tokens["access_token"]).status_code == 200
    own = {"token": tokens[which], "client_id": app.id, "client_secret": app.secret}
    assert Client().post("/o/revoke/", own).status_code == 200
    assert me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_introspection_tells_the_application_that_asks_of_its_own_tokens(app, bob):
    token = app.tokens_for(bob)["access_token"]

    def ask(of, token=token):
        basic = base64.b64encode(f"{of.id}:{of.secret}".encode()).decode()
        return Client().post("/o/introspect/", {"token": token}, HTTP_AUTHORIZATION=f"Basic {basic}")

    told = ask(app).json()
    assert (told["active"], told["client_id"], told["sub"]) == (True, app.id, str(bob.pk))
    assert told["scope"] == "profile:read messages:read messages:write"
    assert ask(App()).json() == {"active": False}
    assert ask(app, "nonsense").json() == {"active": False}
    assert Client().post("/o/introspect/", {"token": token}).status_code == 401
    deactivate(bob)
    assert ask(app).json() == {"active": False}


def test_a_suspended_application_is_refused_everywhere(app, bob):
    tokens = app.tokens_for(bob)
    suspend_application(app.row)
    assert me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code in {400, 401}
    assert app.ask(browser_of(bob)).status_code == 400


def test_until_it_is_approved_an_application_is_its_owners_alone(bob):
    app = App(approved=False)
    assert app.ask(browser_of(bob)).status_code == 403
    assert me(app.tokens_for(app.owner)["access_token"]).json()["id"] == app.owner.pk


# --- What else holds an application back ---


def test_an_application_has_its_own_limit(bob):
    app = App()
    Application.objects.filter(pk=app.row.pk).update(requests_per_minute=3)
    token = app.tokens_for(bob)["access_token"]
    answers = [me(token) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "rest-application" in answers[0]["RateLimit"] and "rest-person" in answers[0]["RateLimit"]


def test_consent_taken_back_ends_the_rest(app, bob):
    tokens = app.tokens_for(bob)
    take_consent_back(bob, app.row.pk)
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_a_deleted_persons_refresh_is_refused_and_breaks_nothing(app):
    ghost = person("ghost")
    tokens, pair = app.tokens_for(ghost), issue_pair(ghost)
    ghost.delete()
    body = {"refresh": pair.refresh}
    answer = Client().post("/api/v1/auth/token/refresh", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert error_of(app.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert me(tokens["access_token"]).status_code == 401
