"""Other people's clients complete the flows against a running server, and races on one token."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from django.db import connections
from oauth2_provider.models import get_access_token_model
from requests_oauthlib import OAuth2Session

from accounts.actions.applications import suspend_application, take_consent_back
from accounts.actions.bans import ban_person
from accounts.actions.revocation import announce_revoked
from chatproject.database import clock
from tests.cast import Refused, cast, connect, do, person, session_for
from tests.oauth import App

pytestmark = pytest.mark.usefixtures("committed_db")
NODE = Path(__file__).resolve().parent.parent / "node"
SCOPE = "profile:read messages:read messages:write realtime"
ROUNDS, AT_ONCE = 100, 4
WITHIN_SECONDS = 1.0


class Browser:
    """A signed-in browser that answers the consent page."""

    def __init__(self, server, user):
        self.http = httpx.Client(base_url=server.url, cookies={"session": session_for(user)}, timeout=10)

    def allow(self, address):
        """Where the application is called at in the end."""
        page = self.http.get(address)
        if page.status_code == 200:
            token = self.http.cookies["csrf"]
            query = dict(httpx.URL(address).params)
            form = {**query, "allow": "Authorize", "csrfmiddlewaretoken": token}
            page = self.http.post(address, data=form, headers={"Origin": str(self.http.base_url).rstrip("/")})
        assert page.status_code == 302, page.text
        return page.headers["Location"]


@pytest.fixture
def bob(committed_db):
    return person("bob")


@pytest.fixture
def app(committed_db):
    return App()


def test_authlib_completes_the_flow(server, app, bob):
    with OAuth2Client(
        app.id,
        app.secret,
        scope=SCOPE,
        redirect_uri=app.redirect,
        code_challenge_method="S256",
        token_endpoint=f"{server.url}/o/token/",
    ) as client:
        address, _state = client.create_authorization_url(
            f"{server.url}/o/authorize/", code_verifier=app.verifier
        )
        callback = Browser(server, bob).allow(address)
        token = client.fetch_token(authorization_response=callback, code_verifier=app.verifier)
        assert client.get(f"{server.url}/api/v1/me").json()["id"] == bob.pk
        fresh = client.refresh_token(f"{server.url}/o/token/", refresh_token=token["refresh_token"])
        assert fresh["access_token"] != token["access_token"]
        assert client.get(f"{server.url}/api/v1/me").json()["id"] == bob.pk


def test_requests_oauthlib_completes_the_flow(server, app, bob, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the server under test speaks http
    session = OAuth2Session(app.id, redirect_uri=app.redirect, scope=SCOPE.split(), pkce="S256")
    session.trust_env = False
    address, _state = session.authorization_url(f"{server.url}/o/authorize/")
    callback = Browser(server, bob).allow(address)
    token = session.fetch_token(
        f"{server.url}/o/token/", authorization_response=callback, client_secret=app.secret
    )
    assert session.get(f"{server.url}/api/v1/me").json()["id"] == bob.pk
    session.refresh_token(
        f"{server.url}/o/token/",
        refresh_token=token["refresh_token"],
        auth=(app.id, app.secret),
    )
    assert session.get(f"{server.url}/api/v1/me").json()["id"] == bob.pk


def test_openid_client_completes_the_flow(start_server, app, bob):
    server = start_server()
    with subprocess.Popen(
        ["node", "code-flow.js"], cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def say(**value):
            process.stdin.write(json.dumps(value) + "\n")
            process.stdin.flush()

        say(
            issuer=server.url,
            client_id=app.id,
            client_secret=app.secret,
            redirect_uri=app.redirect,
            scope=SCOPE,
        )
        address = json.loads(process.stdout.readline())["authorize"]
        say(callback=Browser(server, bob).allow(address))
        answer = json.loads(process.stdout.readline())
        assert process.wait(timeout=10) == 0
    assert answer["me"]["id"] == answer["refreshed"]["id"] == bob.pk
    assert answer["revoked"] is True


def test_of_four_refreshes_of_one_token_at_once_one_succeeds(start_server, app, bob):
    server = start_server(NO_LIMITS="1")

    def refresh(token):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": app.id,
            "client_secret": app.secret,
        }
        return http.post("/o/token/", data=form)

    app.row.client_secret = app.secret = "s" * 64
    app.row.hash_client_secret = False  # hashing 400 times would be all that this test does
    app.row.save(update_fields=["client_secret", "hash_client_secret"])
    succeeded = []
    with (
        httpx.Client(base_url=server.url, timeout=20) as http,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        for _ in range(ROUNDS):
            token = app.tokens_for(bob)["refresh_token"]
            answers = list(pool.map(refresh, [token] * AT_ONCE))
            assert {answer.status_code for answer in answers} <= {200, 400}, [a.text for a in answers]
            succeeded.append(sum(answer.status_code == 200 for answer in answers))
        connections.close_all()
    assert succeeded == [1] * ROUNDS


# --- Sockets ---


async def socket_of(server, token, *rooms):
    """A socket that an application has bought a ticket for."""

    def buy():
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{server.url}/api/v1/realtime/tickets", headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["ticket"]

    client = await connect(server.socket_url, origin=None)
    await client.ask("hello", ticket=await do(buy))
    for room in rooms:
        await client.ask("room.open", room=room)
    return client


async def test_a_socket_of_an_application_does_what_its_scopes_allow(server, app):
    people = await do(cast)
    room = people.room.pk
    reading = (await do(app.tokens_for, people.bob, scope="messages:read realtime"))["access_token"]
    client = await socket_of(server, reading, room)
    with pytest.raises(Refused) as refused:
        await client.post(room, "May I?")
    assert refused.value.error["fields"] == {"scope": ["messages:write"]}
    writing = (await do(app.tokens_for, people.bob, scope="messages:write realtime"))["access_token"]
    other = await socket_of(server, writing)
    posted = await other.post(room, "I may")
    assert (await client.until_seq(room, posted["seq"]))[-1]["data"]["message"]["body"] == "I may"
    with pytest.raises(Refused, match="forbidden"):
        await other.ask("room.open", room=room)


def revoke(server, app, tokens):
    own = {"token": tokens["access_token"], "client_id": app.id, "client_secret": app.secret}
    assert httpx.post(f"{server.url}/o/revoke/", data=own).status_code == 200


ENDS = {
    "revocation": lambda server, app, bob, tokens: revoke(server, app, tokens),
    "consent taken back": lambda server, app, bob, tokens: take_consent_back(bob, app.row.pk),
    "suspension": lambda server, app, bob, tokens: suspend_application(app.row),
    "ban": lambda server, app, bob, tokens: ban_person(bob, until=None, reason="spam"),
}


@pytest.mark.parametrize("way", ENDS)
async def test_what_ends_a_token_ends_its_socket(server, app, bob, way):
    tokens = await do(app.tokens_for, bob, scope=SCOPE)
    client = await socket_of(server, tokens["access_token"])
    await do(ENDS[way], server, app, bob, tokens)
    assert await client.until_closed(seconds=WITHIN_SECONDS) == (4503 if way == "ban" else 4504)


async def test_a_socket_lives_on_when_its_token_is_refreshed(server, app, bob):
    tokens = await do(app.tokens_for, bob, scope=SCOPE)
    client = await socket_of(server, tokens["access_token"])
    fresh = (await do(app.refresh, tokens["refresh_token"])).json()
    await client.ask("ping")
    await do(revoke, server, app, fresh)
    assert await client.until_closed(seconds=WITHIN_SECONDS) == 4504


async def test_a_bot_is_told_to_come_back_with_a_new_ticket(server, committed_db):
    bot = await do(App, alone=True, scopes=SCOPE)
    client = await socket_of(server, await do(bot.own_token, scope=SCOPE))

    def run_out():
        bot.row.refresh_from_db()
        get_access_token_model().objects.filter(application=bot.row).update(expires=clock())
        announce_revoked(bot.row.bot_id)

    await do(run_out)
    assert await client.until_closed(seconds=WITHIN_SECONDS) == 4004
    again = await socket_of(server, await do(bot.own_token, scope=SCOPE))
    await again.ask("ping")
