"""A day at the desk: a guest spams, and everybody does their part; every door agrees at every step."""

import json
import uuid

import httpx
import pytest
from django.db import connection, transaction
from playwright.sync_api import expect
from websockets.sync.client import connect

from accounts.actions.guests import create_guest
from chat import audit, roles
from chat.actions.members import join_room
from chat.actions.rooms import create_room
from chat.actions.rules import RuleFields, save_rule
from chat.models import GuestPolicy, ModerationAction, Report
from tests import cast
from tests.browser.aside import aside
from tests.browser.pages import bodies, expect_connected, isolated, path, write
from tests.browser.test_moderation import choose
from tests.scenes import employ

pytestmark = pytest.mark.usefixtures("committed_db")
SPAM, WORSE = "Cheap watches at my place", "Buy followers now"


class Ear:
    """A socket that hears one room, and what it says of it."""

    def __init__(self, server, user, room):
        headers = {"Cookie": f"session={aside(cast.session_for)(user)}"}
        self.connection = connect(
            server.socket_url, origin=server.url, additional_headers=headers, proxy=None
        )
        self.events = []
        for command in ({"type": "hello", "ref": "1"}, {"type": "room.open", "ref": "2", "room": room.pk}):
            self.connection.send(json.dumps(command))

    def hear(self, *kinds):
        """Reads on until the last events are of these kinds."""
        while [event["kind"] for event in self.events][-len(kinds) :] != list(kinds):
            frame = json.loads(self.connection.recv(timeout=10))
            if frame["type"] == "event":
                self.events.append(frame)
        return self.events[-len(kinds) :]


class Day:
    """The room, its people, and what each door shows of it."""

    def __init__(self, server, visit):
        self.server, self.visit = server, visit
        self.furnish()
        url = server.url + path(self.room)
        self.guest = visit(self.gil, url, may_note="403").page
        self.member = visit(self.bob, url).page
        for page in (self.guest, self.member):
            expect_connected(page)
        self.ear = Ear(server, self.bob, self.room)
        cookies = {"session": aside(cast.session_for)(self.bob)}
        self.rest = httpx.Client(base_url=server.url, cookies=cookies)

    @aside
    def furnish(self):
        self.olga, self.bob = cast.person("olga"), cast.person("bob")
        self.gil = create_guest(f"Gil {uuid.uuid4().hex[:8]}")
        self.moderator, self.root = employ(roles.MODERATORS), employ(root=True)
        slug = f"t-{uuid.uuid4().hex}"
        self.room = create_room(self.olga, name="Tea kitchen", guest_policy=GuestPolicy.WRITE, slug=slug)
        join_room(self.bob, self.room.pk)
        rule = RuleFields("Followers", "words", "hold", self.room.pk, words="buy followers", live=True)
        save_rule(self.root, None, rule)

    def shows(self, *texts):
        """The member's page, REST and nobody's cache show exactly these texts."""
        standing = bodies(self.member).filter(has_not_text="Removed by a moderator")
        expect(standing).to_have_text(list(texts))
        results = self.rest.get(f"/api/v1/rooms/{self.room.pk}/messages").json()["results"]
        assert [message["body"] for message in results if not message["deleted_at"]] == list(texts)

    @aside
    def recorded(self):
        """What the audit says of the guest, the oldest first."""
        about = ModerationAction.objects.filter(subject=self.gil).order_by("pk")
        return [(action.kind, action.actor_id, action.undoes_id is not None) for action in about]

    @aside
    def report(self):
        return Report.objects.get(room=self.room)


def test_a_day_at_the_desk(server, visit):
    day = Day(server, visit)
    write(day.guest, SPAM)
    day.ear.hear("message.posted")
    day.shows(SPAM)
    write(day.guest, WORSE)
    expect(day.guest.get_by_text("Waits for a moderator. Only you see it.")).to_be_visible()
    day.shows(SPAM)

    choose(day.member, SPAM, "Report")
    day.member.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(day.member.locator(".toast__text")).to_contain_text("Reported.")

    desk = day.visit(day.moderator, f"{server.url}/admin/").page
    report = day.report()
    desk.goto(f"{server.url}/admin/chat/report/{report.pk}/change/")
    expect(desk.locator("section", has_text="As it was when it was reported").first).to_contain_text(SPAM)
    desk.get_by_role("button", name="Assign to me").click()
    desk.locator("[name=sanction-kind]").select_option("mute")
    desk.get_by_role("button", name="Impose").click()
    expect(desk.locator(".messagelist")).to_contain_text("in force")
    assert day.ear.hear("member.sanctioned")[0]["data"]["kind"] == "mute"
    expect(day.guest.get_by_text("You cannot write").first).to_be_visible()
    day.shows(SPAM)

    desk.goto(f"{server.url}/admin/accounts/user/{day.gil.pk}/clean-up/?room={day.room.pk}")
    desk.get_by_role("button", name="Show what would be hidden").click()
    expect(desk.get_by_role("heading", name="1 message will be hidden")).to_be_visible()
    day.shows(SPAM)
    desk.get_by_role("button", name="Ban and hide them").click()
    expect(desk.locator(".messagelist")).to_contain_text("Banned")
    banned, deleted = day.ear.hear("member.sanctioned", "message.deleted")
    assert (banned["data"]["kind"], deleted["data"]["message"]["body"]) == ("ban", "")
    expect(
        day.guest.get_by_role("heading", name=f"You are banned from {isolated('Tea kitchen')}")
    ).to_be_visible()
    day.shows()

    desk.goto(f"{server.url}/admin/chat/report/{report.pk}/change/")
    desk.get_by_role("button", name="Uphold: it is right").click()
    expect(desk.locator(".messagelist")).to_contain_text("Decided: Upheld.")
    expect(day.member.get_by_text("A moderator agrees with your report")).to_be_visible()

    office = day.visit(day.root, f"{server.url}/admin/chat/moderationaction/").page
    office.get_by_role("link", name="Banned and cleaned up").first.click()
    office.get_by_role("button", name="Take back").click()
    expect(office.locator(".messagelist")).to_be_visible()
    day.ear.hear("member.unsanctioned", "message.restored")
    day.shows(SPAM)

    moderator, root = day.moderator.pk, day.root.pk
    assert day.recorded() == [
        ("report.assigned", moderator, False),
        ("sanction.imposed", moderator, False),
        ("person.cleaned_up", moderator, False),
        ("report.decided", moderator, False),
        ("person.cleaned_up", root, True),
    ]
    assert aside(audit.verify)().broken_at is None
    assert aside(broken_by_hand)() is not None


def broken_by_hand():
    """Where the chain breaks when somebody changes a row in the database; nothing of it stays."""
    with transaction.atomic():
        row = ModerationAction.objects.latest("pk")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE chat_moderationaction DISABLE TRIGGER append_only")
            cursor.execute("UPDATE chat_moderationaction SET category = 'hate' WHERE id = %s", [row.pk])
        found = audit.verify().broken_at
        transaction.set_rollback(True)
    return found
