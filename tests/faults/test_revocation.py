"""Who loses a right loses it everywhere: on every socket and for every credential, with Redis and without."""

from datetime import timedelta

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.test import Client

from accounts import tokens
from accounts.actions.accounts import set_password
from accounts.actions.applications import suspend_application, take_consent_back
from accounts.actions.guests import create_guest, expire_guests
from accounts.actions.revocation import deactivate, end_all_credentials, end_credential
from accounts.credentials import issue_ticket, session_credential
from accounts.models import User
from chat.actions.members import change_role, remove_member
from chat.actions.sanctions import sanction_person
from chatproject.errors import AppError
from tests.cast import Refused, cast, connect, do, enter, person, session_for
from tests.oauth import App, bearer, browser_of

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.own_server]
WITH_REDIS, WITHOUT_REDIS = 1.0, 12.0
SESSION_ENDED, BANNED = 4504, 4503
ROOM_LOST = {"kick", "ban in the room", "removal"}


@pytest.fixture(params=["with redis", "without redis"])
def place(request, server, start_server, tmp_path):
    """A server, and how soon it must have noticed."""
    if request.param == "with redis":
        return server, WITH_REDIS
    return start_server(REDIS_URL=f"unix://{tmp_path}/nobody"), WITHOUT_REDIS


class Held:
    """Everything one person can show, with a socket for each kind of it."""

    def __init__(self, user, app=None):
        self.user = user
        self.key = session_for(user)
        self.pair = tokens.issue_pair(user)
        self.kinds = ["session", "jwt"]
        self.sockets = {}
        if app is not None:
            self.kinds.append("oauth")
            self.app = app
            wanted = "profile:read messages:read messages:write realtime"
            self.oauth = self.app.tokens_for(user, scope=wanted)
            self.code = self.app.allow(browser_of(user), scope=wanted)["code"]
        self.spare = {}

    def access(self, kind):
        return {"jwt": self.pair.access, "oauth": self.oauth["access_token"] if kind == "oauth" else ""}[kind]

    def ticket(self, kind):
        if kind == "session":
            return issue_ticket(self.user, session_credential(self.key)[1])
        answer = Client().post(
            "/api/v1/realtime/tickets", "{}", content_type="application/json", **bearer(self.access(kind))
        )
        assert answer.status_code == 201, answer.content
        return answer.json()["ticket"]

    async def connect(self, url, room):
        for kind in self.kinds:
            client = await connect(url)
            await client.ask("hello", ticket=await do(self.ticket, kind))
            await client.ask("room.open", room=room)
            self.sockets[kind] = client

    def buy_spare_tickets(self):
        """One of each kind, to be shown when it is over. They last half a minute."""
        self.spare = {kind: self.ticket(kind) for kind in self.kinds}

    def rest(self, kind):
        """The status of a look at oneself, as this kind."""
        if kind == "session":
            browser = Client()
            browser.cookies["session"] = self.key
            return browser.get("/api/v1/me").status_code
        return Client().get("/api/v1/me", **bearer(self.access(kind))).status_code

    def renewed(self, kind):
        """Whether this kind can still be renewed."""
        if kind == "jwt":
            try:
                return bool(tokens.refresh_pair(self.pair.refresh))
            except AppError:
                return False
        return kind == "oauth" and self.app.refresh(self.oauth["refresh_token"]).status_code == 200


def run_out(held):
    Session.objects.filter(session_key=held.key).update(expire_date=Now() - timedelta(seconds=1))


def expire(held):
    User.objects.filter(pk=held.user.pk).update(last_seen_at=Now() - timedelta(days=31))
    assert expire_guests() >= 1


def revoke_at_the_door(held):
    own = {"client_id": held.app.id, "client_secret": held.app.secret}
    assert Client().post("/o/revoke/", {"token": held.oauth["access_token"], **own}).status_code == 200


def ban(held):
    root = person("root")
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    root.refresh_from_db()
    sanction_person(root, held.user.pk, kind="ban")


ALL = {"session", "jwt", "oauth"}
# cause → what happens, which kinds of credential end with it, and with which code their sockets close
CAUSES = {
    "log-out": (lambda held: end_credential(session_credential(held.key)[1]), {"session"}, SESSION_ENDED),
    "log-out everywhere": (lambda held: end_all_credentials(held.user), ALL, SESSION_ENDED),
    "password change": (lambda held: set_password(held.user, password="another one 7"), ALL, SESSION_ENDED),
    "deactivation": (lambda held: deactivate(held.user), ALL, SESSION_ENDED),
    "ban": (ban, ALL, BANNED),
    "guest expiry": (expire, {"session", "jwt"}, SESSION_ENDED),
    "first-party token revoked": (lambda held: tokens.revoke(held.pair.refresh), {"jwt"}, SESSION_ENDED),
    "application's token revoked": (revoke_at_the_door, {"oauth"}, SESSION_ENDED),
    "consent taken back": (
        lambda held: take_consent_back(held.user, held.app.row.pk), {"oauth"}, SESSION_ENDED
    ),
    "application suspended": (lambda held: suspend_application(held.app.row), {"oauth"}, SESSION_ENDED),
}  # fmt: skip


async def test_whoever_loses_a_credential_loses_what_is_connected_with_it(place):
    server, bound = place
    people = await do(cast)
    room = people.room.pk
    olga = await enter(server.socket_url, await do(session_for, people.olga), room)
    app, its_own = await do(App), await do(App)
    all_held = {}
    for cause in CAUSES:
        if cause == "guest expiry":
            held = await do(Held, await do(create_guest, f"g-{people.room.slug[-6:]}"))
        else:
            suspended = cause == "application suspended"
            held = await do(Held, await do(person, "eve"), its_own if suspended else app)
        all_held[cause] = held
        await held.connect(server.socket_url, room)
    for held in all_held.values():
        await do(held.buy_spare_tickets)
    for cause, (act, kinds, code) in CAUSES.items():
        await do(act, all_held[cause])
        if bound == WITH_REDIS:  # one by one: each has its second
            await sockets_end(cause, all_held[cause], kinds, code, bound)
    for cause, (_, kinds, code) in CAUSES.items():
        await sockets_end(cause, all_held[cause], kinds, code, bound)
    said = await olga.post(room, "for those who are left")
    for cause, (_, kinds, _) in CAUSES.items():
        held = all_held[cause]
        for kind, client in held.sockets.items():
            if kind in kinds:
                assert "for those who are left" not in str(client.frames), (cause, kind)
            else:
                await client.until_seq(room, said["seq"])
            await what_it_opens(server, cause, held, kind, is_over=kind in kinds)


async def sockets_end(cause, held, kinds, code, bound):
    for kind in kinds:
        try:
            assert await held.sockets[kind].until_closed(seconds=bound) == code, (cause, kind)
        except TimeoutError:
            raise AssertionError(f"{cause}: the socket by {kind} is open after {bound} s") from None


async def what_it_opens(server, cause, held, kind, *, is_over):
    """REST, a ticket that was bought before, a renewal, and a code that was not used yet."""
    status = await do(held.rest, kind)
    assert status in ({401, 403} if is_over else {200}), (cause, kind, status)
    client = await connect(server.socket_url)
    ticket = client.ask("hello", ticket=held.spare[kind])
    if is_over:
        with pytest.raises(Refused, match=r"unauthenticated|banned"):
            await ticket
    else:
        assert (await ticket)["user"]["id"] == held.user.pk
        await client.close()
    if kind != "session":
        assert await do(held.renewed, kind) is not is_over, (cause, kind)
    if kind == "oauth" and is_over and CAUSES[cause][1] == ALL:
        assert (await do(held.app.redeem, held.code)).status_code == 400, cause


# cause in one room → what happens to bob, a moderator of it
IN_A_ROOM = {
    "kick": lambda people: sanction_person(people.olga, people.bob.pk, kind="kick", room_id=people.room.pk),
    "ban in the room": lambda people: sanction_person(
        people.olga, people.bob.pk, kind="ban", room_id=people.room.pk
    ),
    "removal": lambda people: remove_member(people.olga, people.room.pk, people.bob.pk),
    "role change": lambda people: change_role(people.olga, people.room.pk, people.bob.pk, role="member"),
}


async def test_whoever_loses_a_room_or_a_role_loses_it_for_every_credential(place):
    server, bound = place
    scenes, app = {}, await do(App)
    for cause in IN_A_ROOM:
        people = await do(cast, kind="private")
        await do(change_role, people.olga, people.room.pk, people.bob.pk, role="moderator")
        held = await do(Held, people.bob, app)
        await held.connect(server.socket_url, people.room.pk)
        olga = await enter(server.socket_url, await do(session_for, people.olga), people.room.pk)
        scenes[cause] = people, held, olga
    for cause, act in IN_A_ROOM.items():
        await do(act, scenes[cause][0])
    for cause, (people, held, olga) in scenes.items():
        room = people.room.pk
        said = await olga.post(room, "for members")
        for kind, client in held.sockets.items():
            if cause in ROOM_LOST:
                await client.until(lambda c, room=room: closed(c, room), seconds=bound)
                with pytest.raises(Refused, match=r"not_found|banned"):
                    await client.post(room, "still here")
                assert "for members" not in str(client.frames), (cause, kind)
            else:
                await client.until_seq(room, said["seq"], seconds=bound)
                await client.post(room, "a member may write")
            with pytest.raises(Refused, match=r"not_found|banned|forbidden"):
                await client.ask("message.delete", message=said["message"])
        async with httpx.AsyncClient(cookies={"session": held.key}) as http:
            answer = await http.get(f"{server.url}/api/v1/rooms/{room}/messages")
            assert answer.status_code in ({403, 404} if cause in ROOM_LOST else {200}), cause


def closed(client, room):
    return any(frame["type"] == "room.closed" and frame["room"] == room for frame in client.frames)


async def test_a_session_that_runs_out_is_found_by_the_clock(server):
    held = await do(Held, await do(person, "eve"), await do(App))
    people = await do(cast)
    await held.connect(server.socket_url, people.room.pk)
    await do(run_out, held)
    assert await held.sockets["session"].until_closed(seconds=WITHOUT_REDIS) == SESSION_ENDED
    assert await held.sockets["jwt"].ask("ping") == {}
