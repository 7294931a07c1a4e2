"""An application and the person who lets it in, as tests play them."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client

from accounts.actions.applications import approve_application, register_application
from tests.cast import person, session_for

REDIRECT = "https://client.example/callback"
ALL = "profile:read rooms:read rooms:write messages:read messages:write members:read members:write realtime"


class App:
    """An application with everything it needs to ask."""

    def __init__(self, *, confidential=True, alone=False, scopes=ALL, approved=True, redirect=REDIRECT):
        self.owner = person("owner")
        self.redirect = redirect
        self.row, self.secret = register_application(
            self.owner,
            name=f"App {secrets.token_hex(6)}",
            redirect_uris=[redirect],
            scopes=scopes.split(),
            confidential=confidential,
            acts_alone=alone,
        )
        if approved:
            approve_application(self.row)
        self.id = self.row.client_id
        self.verifier = secrets.token_urlsafe(48)

    def query(self, **changed):
        """The parameters of an authorization request; None leaves one out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        values = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect,
            "scope": "profile:read messages:read messages:write",
            "state": "xyz",
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in values.items() if value is not None}

    def ask(self, browser, **changed):
        """Where the browser is led: the consent page."""
        return browser.get(f"/o/authorize/?{urlencode(self.query(**changed))}")

    def allow(self, browser, *, allow=True, **changed):
        """Answers the consent page; the parameters that the application gets back."""
        query = self.query(**changed)
        page = browser.get(f"/o/authorize/?{urlencode(query)}")
        if page.status_code == 302:
            return landed(page)
        assert page.status_code == 200, page.content
        form = {**query, **({"allow": "Authorize"} if allow else {})}
        return landed(browser.post(f"/o/authorize/?{urlencode(query)}", form))

    def token(self, client=None, **fields):
        """The answer of the token endpoint; None leaves a field out."""
        values = {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {}), **fields}
        values = {name: value for name, value in values.items() if value is not None}
        return (client or Client()).post("/o/token/", values)

    def redeem(self, code, **changed):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": self.verifier,
        }
        return self.token(**{**fields, **changed})

    def refresh(self, refresh_token, **changed):
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **changed)

    def tokens_for(self, user, **changed):
        """Access and refresh token, the whole way."""
        answer = self.redeem(self.allow(browser_of(user), **changed)["code"])
        assert answer.status_code == 200, answer.content
        return answer.json()

    def own_token(self, **fields):
        """A token with which it acts alone."""
        answer = self.token(grant_type="client_credentials", **fields)
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]


def browser_of(user):
    browser = Client()
    browser.cookies["session"] = session_for(user)
    return browser


def landed(response):
    """What is in the address that the application is called at."""
    assert response.status_code == 302, response.content
    parts = urlsplit(response["Location"])
    assert not parts.fragment
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}
