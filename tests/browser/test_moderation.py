"""People moderate in the room, and whoever it concerns sees it at once and is told why."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.actions.guests import create_guest
from accounts.models import User
from chat.actions import holding, members, messages, sanctions
from chat.actions.posting import post_message
from chat.actions.rooms import archive_room, create_room
from chat.audit import Why
from chat.models import (
    Category,
    GuestPolicy,
    HeldMessage,
    Notice,
    Report,
    Room,
    RoomKind,
    Sanction,
)
from chatproject.database import clock
from tests import cast
from tests.browser.aside import aside
from tests.browser.conftest import Visitor
from tests.browser.pages import (
    Canonical,
    assert_no_barrier,
    bodies,
    expect_connected,
    isolated,
    path,
    say,
    write,
)
from tests.services import RunningServer, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

WAIT_SECONDS = 10.0
REFUSED = r"status of 40[39]"
HELD_WORDS = "Waits for a moderator. Only you see it."
FEET = ["muted", "muted for ever", "announcement", "archived", "guest", "approval"]
person, archive, change_role, approve, sanction = map(
    aside,
    (cast.person, archive_room, members.change_role, holding.approve_held, sanctions.sanction_person),
)

Visit = Callable[..., Visitor]


@aside
def a_room(owner: User, *others: User, **settings: Any) -> Room:
    """A room with its people; guests may write unless told otherwise."""
    wanted = {"guest_policy": GuestPolicy.WRITE, "topic": "What boils"} | settings
    room = create_room(owner, name="Tea kitchen", slug=f"t-{uuid.uuid4().hex}", **wanted)
    for user in others:
        members.join_room(user, room.pk)
    return room


@aside
def guest(name: str) -> User:
    return create_guest(f"{name}-{uuid.uuid4().hex[:8]}")


@aside
def hold(author: User, room: Room, body: str) -> int:
    """A message of a guest that waits; its id."""
    client_id = uuid.uuid4()
    post_message(author, room.pk, client_id=client_id, body=body)
    return HeldMessage.objects.get(room=room, author=author, client_id=client_id).pk


@aside
def soon(seconds: float) -> Any:
    return clock() + timedelta(seconds=seconds)


@aside
def in_force(user: User, room: Room) -> list[str]:
    found = Sanction.objects.in_force().filter(user=user, room=room).order_by("pk")
    return list(found.values_list("kind", flat=True))


@aside
def unseen(user: User) -> int:
    return Notice.objects.filter(user=user, seen_at__isnull=True).count()


@aside
def reported(room: Room) -> list[tuple[str, str, str]]:
    return list(Report.objects.filter(room=room).order_by("pk").values_list("category", "text", "state"))


def expect_open(page: Page) -> None:
    expect(page.get_by_label("Message to Tea kitchen")).to_be_visible()


def strip(page: Page) -> Any:
    return page.locator(".composer__closed-text")


def choose(page: Page, text: str, item: str) -> None:
    """An item of the menu of the message with this text."""
    bodies(page).filter(has_text=text).hover()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def choose_person(page: Page, user: User, item: str) -> None:
    page.locator(".message__author", has_text=user.display_name).first.click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def confirm(page: Page, verb: str, *, why: str | None = None, words: str = "") -> None:
    dialog = page.get_by_role("dialog")
    if why:
        dialog.get_by_label("Reason", exact=True).select_option(label=why)
    if words:
        dialog.get_by_label("In your words").fill(words)
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


# --- held ------------------------------------------------------------------------------------------------


def test_held_message_waits_across_reload_and_settles(server: RunningServer, visit: Visit) -> None:
    olga, bob, gil = person("olga"), person("bob"), guest("gil")
    room = a_room(olga, bob, guest_policy=GuestPolicy.APPROVAL)
    near, moderator, other = (visit(user, server.url + path(room)).page for user in (gil, olga, bob))
    for page in (near, moderator, other):
        expect_connected(page)
    expect(near.locator("#write-note")).to_have_text("A moderator reads guests’ messages first")
    write(near, "Is it **free**?")
    expect(near.locator(".message--held .message__state")).to_have_text(HELD_WORDS)
    expect(near.locator(".message--held strong")).to_have_text("free")
    near.reload()
    expect_connected(near)
    expect(near.locator(".message--held .message__state")).to_have_text(HELD_WORDS)

    moderator.get_by_role("button", name="1 message waits").click()
    expect(moderator.locator(".desk__body")).to_have_text("Is it free?")
    moderator.get_by_role("button", name="Let in").click()
    for page in (near, moderator, other):
        expect(bodies(page)).to_have_text(["Is it free?"])
    expect(near.locator(".message--held")).to_have_count(0)
    expect(moderator.get_by_text("Nothing waits")).to_be_visible()
    assert wait_for(lambda: unseen(gil) == 0, seconds=WAIT_SECONDS)


def test_held_message_is_not_let_in_with_a_reason(server: RunningServer, visit: Visit) -> None:
    olga, gil = person("olga"), guest("gil")
    room = a_room(olga, guest_policy=GuestPolicy.APPROVAL)
    near, moderator = (visit(user, server.url + path(room)).page for user in (gil, olga))
    for page in (near, moderator):
        expect_connected(page)
    write(near, "Buy tea")
    moderator.get_by_role("button", name="1 message waits").click()
    moderator.get_by_role("button", name="Keep out").click()
    confirm(moderator, "Keep out", why="Spam or advertising", words="no shops here")
    rejected = near.locator(".message--rejected")
    expect(rejected).to_contain_text(
        "Not let in by a moderator. Reason given: Spam or advertising: no shops here."
    )
    rejected.get_by_role("button", name="Discard").click()
    expect(bodies(near)).to_have_count(0)
    moderator.get_by_role("button", name="Undo").click()
    expect(moderator.get_by_role("button", name="1 message waits")).to_be_visible()


def test_two_moderators_decide_at_once(server: RunningServer, visit: Visit) -> None:
    olga, alice, gil = person("olga"), person("alice"), guest("gil")
    room = a_room(olga, alice, guest_policy=GuestPolicy.APPROVAL)
    change_role(olga, room.pk, alice.pk, role="moderator")
    held = hold(gil, room, "First")
    page = visit(alice, server.url + path(room), may_note=REFUSED).page
    page.get_by_role("button", name="1 message waits").click()
    expect(page.locator(".desk__item")).to_have_count(1)
    approve_behind(page, olga, held)
    expect(page.locator(".toast")).to_contain_text(f"{olga.display_name} has decided already: approved.")
    expect(page.get_by_text("Nothing waits")).to_be_visible()


def approve_behind(page: Page, other: User, held: int) -> None:
    """Another moderator is first by a moment: between the click and its request."""

    def first(route: Any) -> None:
        approve(other, held)
        route.continue_()

    page.route("**/approve", first)
    page.get_by_role("button", name="Let in").click()


# --- sanctions -------------------------------------------------------------------------------------------


def test_mute_closes_the_box_and_ends(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    say(bob, room, "Cheap tea")
    moderator, muted = (visit(user, server.url + path(room)).page for user in (olga, bob))
    for page in (moderator, muted):
        expect_connected(page)
        expect_open(page)
    choose(moderator, "Cheap tea", "Mute the author")
    moderator.get_by_label("How long").select_option(label="For a day")
    confirm(moderator, "Mute for a day", why="Spam or advertising", words="twice today")
    expect(strip(muted)).to_have_text(
        re.compile(r"You cannot write until .+\. Reason given: Spam or advertising: twice today\.")
    )
    expect(moderator.locator(".toast__text")).to_have_text(
        f"{isolated(bob.display_name)} cannot write for a day"
    )
    muted.reload()
    expect(muted.locator(".messages--live")).to_be_visible()
    expect(strip(muted)).to_contain_text("Reason given: Spam or advertising: twice today.")

    moderator.get_by_role("button", name="Undo").click()
    expect_open(muted)
    assert in_force(bob, room) == []
    sanction(olga, bob.pk, kind="mute", room_id=room.pk, until=soon(3))
    expect(strip(muted)).to_contain_text("You cannot write until")
    expect_open(muted)
    assert wait_for(lambda: unseen(bob) == 0, seconds=WAIT_SECONDS)


def test_warning_is_shown_until_it_is_understood(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    say(bob, room, "Grr")
    moderator, warned = (visit(user, server.url + path(room)).page for user in (olga, bob))
    for page in (moderator, warned):
        expect_connected(page)
    choose_person(moderator, bob, "Warn")
    confirm(moderator, "Warn", why="Harassment or bullying", words="be kind")
    notice = warned.get_by_role("alert").filter(
        has_text=f"A moderator warns you in {isolated('Tea kitchen')}"
    )
    expect(notice).to_contain_text("Reason given: Harassment or bullying: be kind.")
    warned.reload()
    expect(notice).to_be_visible()
    warned.get_by_role("button", name="Understood").click()
    expect(notice).to_have_count(0)
    assert wait_for(lambda: unseen(bob) == 0, seconds=WAIT_SECONDS)
    warned.reload()
    expect_connected(warned)
    expect(notice).to_have_count(0)
    expect_open(warned)


def test_kick_and_ban_close_the_room_and_lifting_opens_it(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    say(bob, room, "Grr")
    moderator = visit(olga, server.url + path(room)).page
    barred = visit(bob, server.url + path(room), may_note=REFUSED).page
    for page in (moderator, barred):
        expect_connected(page)
    choose_person(moderator, bob, "Kick")
    confirm(moderator, "Kick for 5 minutes", why="Off topic")
    expect(
        barred.get_by_role("heading", name=f"You were taken out of {isolated('Tea kitchen')}")
    ).to_be_visible()
    expect(barred.locator(".empty__text")).to_contain_text("Reason given: Off topic. You can come back at")
    moderator.get_by_role("button", name="Undo").click()
    expect_open(barred)
    assert in_force(bob, room) == []

    choose_person(moderator, bob, "Ban")
    moderator.get_by_label("How long").select_option(label="For ever")
    confirm(moderator, "Ban for ever", why="Hate")
    expect(
        barred.get_by_role("heading", name=f"You are banned from {isolated('Tea kitchen')}")
    ).to_be_visible()
    expect(barred.locator(".empty__text")).to_have_text("Reason given: Hate.")
    choose_person(moderator, bob, "What is in force")
    moderator.get_by_role("button", name="Lift: Banned for ever").click()
    expect(bodies(barred)).to_have_text(["Grr"])
    expect_open(barred)


def test_kick_ends_by_itself(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    page = visit(bob, server.url + path(room), may_note=REFUSED).page
    expect_connected(page)
    sanction(olga, bob.pk, kind="ban", room_id=room.pk, until=soon(3))
    expect(
        page.get_by_role("heading", name=f"You are banned from {isolated('Tea kitchen')} until")
    ).to_be_visible()
    expect_open(page)


def test_who_stands_as_high_is_refused_in_words(server: RunningServer, visit: Visit) -> None:
    olga, alice = person("olga"), person("alice")
    room = a_room(olga, alice)
    change_role(olga, room.pk, alice.pk, role="moderator")
    say(olga, room, "Mine")
    page = visit(alice, server.url + path(room), may_note=REFUSED).page
    expect_connected(page)
    choose(page, "Mine", "Mute the author")
    page.get_by_role("button", name="Mute for an hour").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("stands as high as you")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".message")).to_be_focused()
    assert in_force(olga, room) == []


def test_ban_and_clean_up_is_taken_back_in_one_step(server: RunningServer, visit: Visit) -> None:
    olga, bob, dave = person("olga"), person("bob"), person("dave")
    room = a_room(olga, bob, dave)
    for number in range(3):
        say(dave, room, f"Spam {number}")
    moderator, other = (visit(user, server.url + path(room)).page for user in (olga, bob))
    for page in (moderator, other):
        expect_connected(page)
    choose_person(moderator, dave, "Ban and clean up")
    moderator.get_by_label("Remove what they wrote in").select_option(label="the last hour")
    confirm(moderator, "Ban for ever")
    expect(bodies(other)).to_have_text(["Removed by a moderator"] * 3)
    expect(moderator.locator(".toast__text")).to_have_text(
        f"{isolated(dave.display_name)} is banned, 3 messages removed"
    )
    moderator.get_by_role("button", name="Undo").click()
    expect(bodies(other)).to_have_text([f"Spam {number}" for number in range(3)])
    assert in_force(dave, room) == []


def test_site_ban_closes_everything_without_coming_back(server: RunningServer, visit: Visit) -> None:
    staff, bob = person("staff"), person("bob")
    room = a_room(person("olga"), bob)
    make_root(staff)
    page = visit(bob, server.url + path(room), may_note=REFUSED).page
    expect_connected(page)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    sanction(staff, bob.pk, kind="ban", why=Why(Category.SPAM, "everywhere"))
    expect(page.get_by_role("heading", name="You are banned")).to_be_visible()
    expect(page.locator(".empty__text")).to_contain_text("Reason given: Spam or advertising: everywhere")
    page.wait_for_timeout(3_000)  # as long as several tries to connect would take
    assert sockets == []


@aside
def make_root(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()


# --- messages and reports --------------------------------------------------------------------------------


def test_moderator_removes_and_its_author_is_told(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    say(bob, room, "Cheap tea")
    moderator, author = (visit(user, server.url + path(room)).page for user in (olga, bob))
    for page in (moderator, author):
        expect_connected(page)
    choose(moderator, "Cheap tea", "Remove message")
    confirm(moderator, "Remove", why="Spam or advertising", words="not here")
    expect(bodies(author)).to_have_text(["Removed by a moderator"])
    notice = author.locator(".notice")
    expect(notice).to_contain_text(f"A moderator removed a message of yours in {isolated('Tea kitchen')}")
    expect(notice).to_contain_text("Reason given: Spam or advertising: not here.")
    assert wait_for(lambda: unseen(bob) == 0, seconds=WAIT_SECONDS)
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_have_count(0)
    moderator.locator(".toast").get_by_role("button", name="Undo").click()
    expect(bodies(author)).to_have_text(["Cheap tea"])


def test_report_is_decided_and_its_reporter_told(server: RunningServer, visit: Visit) -> None:
    olga, bob, dave = person("olga"), person("bob"), person("dave")
    room = a_room(olga, bob, dave)
    say(dave, room, "You fools")
    moderator, member = (visit(user, server.url + path(room)).page for user in (olga, bob))
    for page in (moderator, member):
        expect_connected(page)
    choose(member, "You fools", "Report")
    member.get_by_label("Harassment or bullying").check()
    member.get_by_label("What moderators should know").fill("Again")
    member.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(member.locator(".toast__text")).to_contain_text("Reported.")
    assert reported(room) == [("harassment", "Again", "open")]

    moderator.get_by_role("button", name="1 report waits").click()
    item = moderator.locator(".desk__item")
    for words in ("Harassment or bullying", "You fools", dave.display_name, bob.display_name, "Again"):
        expect(item).to_contain_text(words)
    item.get_by_role("button", name="Uphold").click()
    expect(moderator.get_by_text("Nothing waits")).to_be_visible()
    expect(member.locator(".notice")).to_contain_text("A moderator agrees with your report")
    moderator.get_by_role("button", name="Undo").click()
    expect(moderator.get_by_role("button", name="1 report waits")).to_be_visible()


def test_visitor_gives_a_name_to_report(server: RunningServer, visit: Visit) -> None:
    olga = person("olga")
    room = a_room(olga)
    say(olga, room, "Hello")
    page = visit(None, server.url + path(room), may_note="409").page
    expect(page.locator(".messages--live")).to_be_visible()
    choose(page, "Hello", "Report")
    page.get_by_label("Your name").fill(olga.display_name)
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.get_by_role("alert").filter(has_text="is taken here")).to_be_visible()
    page.get_by_label("Your name").fill(f"Gil {uuid.uuid4().hex[:8]}")
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.locator(".toast__text")).to_contain_text("Reported.")
    assert reported(room) == [("spam", "", "open")]


def test_person_and_room_are_reported_from_the_details(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    page = visit(bob, server.url + path(room)).page
    expect_connected(page)
    page.get_by_role("button", name="About this room").click()
    page.get_by_role("button", name="Report this room").click()
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.locator(".toast__text")).to_contain_text("Reported.")
    page.get_by_role("button", name=f"What to do about {olga.display_name}").click()
    expect(page.get_by_role("menuitem")).to_have_text(["Report this person"])
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Report").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(reported(room)) == 2


# --- rooms -----------------------------------------------------------------------------------------------


def test_owner_makes_announcements_and_members_only_read(server: RunningServer, visit: Visit) -> None:
    olga, alice, bob = person("olga"), person("alice"), person("bob")
    room = a_room(olga, alice, bob)
    change_role(olga, room.pk, alice.pk, role="moderator")
    owner, moderator, member = (visit(user, server.url + path(room)).page for user in (olga, alice, bob))
    for page in (owner, moderator, member):
        expect_connected(page)
    moderator.get_by_role("button", name="About this room").click()
    expect(moderator.get_by_role("button", name="Report this room")).to_be_visible()
    expect(moderator.get_by_role("button", name="Room settings")).to_have_count(0)
    owner.get_by_role("button", name="About this room").click()
    owner.get_by_role("button", name="Room settings").click()
    owner.get_by_label("Kind").select_option("announcement")
    owner.get_by_label("Guests").select_option("approval")
    owner.get_by_label("Slow mode").select_option("30")
    owner.get_by_label("Hide what is reported").select_option("3")
    owner.get_by_role("button", name="Save").click()
    expect(strip(member)).to_have_text("Only moderators write in this room.")
    expect_open(moderator)
    settled = settings_of(room)
    assert settled == (RoomKind.ANNOUNCEMENT, GuestPolicy.APPROVAL, 30, 3)
    owner.get_by_role("button", name="Room settings").click()
    owner.get_by_role("button", name="Close the room").click()
    for page in (member, moderator):
        expect(strip(page)).to_contain_text("This room is closed since")
    owner.get_by_role("button", name="Undo").click()
    expect_open(moderator)


@aside
def settings_of(room: Room) -> tuple[str, str, int, int]:
    room.refresh_from_db()
    return room.kind, room.guest_policy, room.slow_mode_seconds, room.hide_after_reports


# --- away, first page ------------------------------------------------------------------------------------


@aside
def told_while_away(olga: User, bob: User, room: Room) -> None:
    for body in ("One", "Two"):
        posted = post_message(bob, room.pk, client_id=uuid.uuid4(), body=body)
        messages.delete_message(olga, posted.message_id, why=Why(Category.SPAM, body.lower()))


def test_notices_of_the_time_away_are_shown_once(server: RunningServer, visit: Visit) -> None:
    olga, bob = person("olga"), person("bob")
    room = a_room(olga, bob)
    told_while_away(olga, bob, room)
    page = visit(bob, server.url + path(room)).page
    notice = page.locator(".notice")
    expect(notice).to_contain_text("Spam or advertising: one.")
    expect(notice).to_contain_text("1 more")
    assert wait_for(lambda: unseen(bob) == 1, seconds=WAIT_SECONDS)
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_contain_text("Spam or advertising: two.")
    assert wait_for(lambda: unseen(bob) == 0, seconds=WAIT_SECONDS)
    page.reload()
    expect_connected(page)
    expect(notice).to_have_count(0)


@aside
def with_held(gil: User, olga: User, room: Room) -> None:
    """Held messages between others, one that answers."""
    post_message(gil, room.pk, client_id=uuid.uuid4(), body="First, **waits**")
    first = post_message(olga, room.pk, client_id=uuid.uuid4(), body="Meanwhile")
    post_message(gil, room.pk, client_id=uuid.uuid4(), body="Second", reply_to=first.message_id)


def test_first_page_has_held_messages_as_the_browser_draws_them(server: RunningServer, visit: Visit) -> None:
    olga, gil = person("olga"), guest("gil")
    room = a_room(olga, guest_policy=GuestPolicy.APPROVAL)
    with_held(gil, olga, room)
    drawn = visit(gil, server.url + path(room), java_script_enabled=False).page
    live = visit(gil, server.url + path(room)).page
    expect(live.locator(".messages--live .message--held")).to_have_count(2)
    before, after = (Canonical(page.locator(".messages__list").inner_html()).parts for page in (drawn, live))
    assert before == after


@pytest.mark.parametrize(
    "state", ["muted", "muted for ever", "announcement", "archived", "guest", "approval"]
)
def test_first_page_has_the_foot_as_the_browser_draws_it(
    server: RunningServer, visit: Visit, state: str
) -> None:
    olga, bob, gil = person("olga"), person("bob"), guest("gil")
    policy = {"guest": GuestPolicy.READ, "approval": GuestPolicy.APPROVAL}.get(state, GuestPolicy.WRITE)
    kind = RoomKind.ANNOUNCEMENT if state == "announcement" else RoomKind.PUBLIC
    room = a_room(olga, bob, guest_policy=policy, kind=kind)
    if state.startswith("muted"):
        until = soon(86_400) if state == "muted" else None
        sanction(olga, bob.pk, kind="mute", room_id=room.pk, until=until, why=Why(Category.HATE, "no"))
    if state == "archived":
        archive(olga, room.pk)
    user = gil if state in {"guest", "approval"} else bob
    drawn = visit(user, server.url + path(room), java_script_enabled=False).page
    live = visit(user, server.url + path(room)).page
    expect_connected(live)
    part = "#write-note" if state == "approval" else ".composer:not(form)"
    before, after = (Canonical(page.locator(part).inner_html()).parts for page in (drawn, live))
    assert before and before == after


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_moderation_has_no_barrier_that_axe_finds(
    server: RunningServer, visit: Visit, scheme: str, width: int
) -> None:
    olga, bob, gil = person("olga"), person("bob"), guest("gil")
    room = a_room(olga, bob, guest_policy=GuestPolicy.APPROVAL)
    say(bob, room, "Grr")
    hold(gil, room, "Waits")
    shape = {"color_scheme": scheme, "viewport": {"width": width, "height": 860}, "reduced_motion": "reduce"}
    page = visit(olga, server.url + path(room), **shape).page
    expect_open(page)
    page.locator(".message__author", has_text=bob.display_name).click()
    expect(page.get_by_role("menuitem", name="Ban and clean up")).to_be_visible()
    assert_no_barrier(page)
    page.keyboard.press("Escape")
    for item in ("Report this person", "Mute", "Ban and clean up", "What is in force"):
        choose_person(page, bob, item)
        expect(page.get_by_role("dialog")).to_be_visible()
        assert_no_barrier(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="1 message waits").click()
    expect(page.locator(".desk__item")).to_have_count(1)
    assert_no_barrier(page)
    sanction(olga, bob.pk, kind="warn", room_id=room.pk)
    sanction(olga, bob.pk, kind="mute", room_id=room.pk)
    told = visit(bob, server.url + path(room), **shape).page
    expect(told.get_by_role("button", name="Understood")).to_be_visible()
    assert_no_barrier(told)
    waits = visit(gil, server.url + path(room), **shape).page
    expect(waits.locator(".messages--live .message--held")).to_have_count(1)
    assert_no_barrier(waits)
