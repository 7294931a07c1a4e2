"""People chat in real browsers, and nothing is lost, repeated or out of order."""

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from chat.actions import members, messages
from chat.actions.rooms import create_room
from chat.models import GuestPolicy, Membership, Message, Room
from tests import cast
from tests.browser.aside import aside
from tests.browser.conftest import Visitor
from tests.browser.pages import Canonical, assert_no_barrier, bodies, expect_connected, path, say, write
from tests.browser.wire import Wire
from tests.services import RunningServer, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

WAIT_SECONDS = 10.0
NO_NETWORK = r"net::ERR_|^WebSocket connection to"
person, join_room, edit_message, delete_message = map(
    aside, (cast.person, members.join_room, messages.edit_message, messages.delete_message)
)
CODE = "Two ways:\n\n```python\nprint('<b>not bold</b>')\n```\n\n- **this**\n- ~~that~~ <https://example.org/a?b=1>"

Visit = Callable[..., Visitor]


@pytest.fixture
def wired(start_server: Callable[..., RunningServer]) -> Iterator[Wire]:
    """A server that is reached over a wire which can be cut."""
    wire = Wire()
    wire.lead_to(start_server(SITE_URL=wire.url).address)
    yield wire
    wire.close()


@aside
def open_room(owner: User) -> Room:
    """A public room where guests may write."""
    return create_room(
        owner,
        name="Tea kitchen",
        topic="What boils",
        guest_policy=GuestPolicy.WRITE,
        slug=f"t-{uuid.uuid4().hex}",
    )


@aside
def stored(room: Room) -> list[str]:
    """The room as the database has it, in words a page shows."""
    kept = Message.objects.filter(room=room).order_by("seq")
    return ["Deleted by its author" if message.deleted_at else message.body for message in kept]


@aside
def by_guests(room: Room) -> list[str]:
    return list(Message.objects.filter(room=room, author__is_guest=True).values_list("body", flat=True))


def waiting(page: Page) -> int:
    """How many messages lie in the browser's storage to be sent."""
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('outbox:')).length")


def shown(page: Page) -> list[str]:
    """The room as a page shows it, without the mark of an edit."""
    return [re.sub(r"\s*(edited|Restore)$", "", text.strip()) for text in bodies(page).all_inner_texts()]


def test_two_people_chat_and_one_comes_back_from_offline(wired: Wire, visit: Visit) -> None:
    alice, bob = person("alice"), person("bob")
    room = open_room(alice)
    join_room(bob, room.pk)
    near = visit(alice, wired.url + path(room), may_note=NO_NETWORK)
    far = visit(bob, wired.url + path(room), may_note=NO_NETWORK)
    for visitor in (near, far):
        expect_connected(visitor.page)
    write(near.page, "Is anyone here?")
    expect(bodies(far.page)).to_have_text(["Is anyone here?"])
    write(far.page, "I am.")
    expect(bodies(near.page)).to_have_text(["Is anyone here?", "I am."])

    near.page.evaluate("window.stayed = true")
    near.context.set_offline(True)
    wired.cut()
    expect(near.page.locator(".banner")).to_be_visible()
    numbers = [say(bob, room, f"Line {number}") for number in range(30)]
    edit_message(bob, numbers[3], body="Line 3, better")
    edit_message(bob, numbers[29], body="Line 29, better")
    for number in (numbers[0], numbers[17]):
        delete_message(bob, number)
    write(near.page, "Written offline")
    expect(bodies(near.page)).to_have_text(["Is anyone here?", "I am.", "Written offline"])

    wired.mend()
    near.context.set_offline(False)
    for visitor in (near, far):
        expect(bodies(visitor.page)).to_have_count(33)
        expect(visitor.page.locator(".message--pending")).to_have_count(0)
        expect_connected(visitor.page)
        assert shown(visitor.page) == stored(room)
    assert shown(near.page)[-1] == "Written offline"
    assert near.page.evaluate("window.stayed")


def test_visitor_reads_live_and_gives_a_name_when_writing(server: RunningServer, visit: Visit) -> None:
    alice = person("alice")
    room = open_room(alice)
    page = visit(None, server.url + path(room)).page
    expect(page.locator(".messages--live")).to_be_visible()
    say(alice, room, "Come in.")
    expect(bodies(page)).to_have_text(["Come in."])
    write(page, "Thank you!")
    name = f"Gil {uuid.uuid4().hex[:8]}"
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Send as guest").click()
    expect(bodies(page)).to_have_text(["Come in.", "Thank you!"])
    expect(page.locator(".message--pending")).to_have_count(0)
    expect(page.locator(".rooms__me-name")).to_have_text(name)
    assert by_guests(room) == ["Thank you!"]
    say(alice, room, "Still live.")
    expect(bodies(page)).to_have_text(["Come in.", "Thank you!", "Still live."])


def test_taken_name_offers_a_free_one(server: RunningServer, visit: Visit) -> None:
    alice = person("alice")
    room = open_room(alice)
    page = visit(None, server.url + path(room), may_note="409").page
    expect(page.locator(".messages--live")).to_be_visible()
    write(page, "Hello")
    page.get_by_label("Your name").fill(alice.display_name)
    page.get_by_role("button", name="Send as guest").click()
    page.get_by_role("button", name="Take").click()
    page.get_by_role("button", name="Send as guest").click()
    expect(bodies(page)).to_have_text(["Hello"])


@pytest.mark.parametrize("arrived", [False, True], ids=["unsent", "unanswered"])
def test_reload_sends_what_waits_once(wired: Wire, visit: Visit, arrived: bool) -> None:
    alice = person("alice")
    room = open_room(alice)
    page = visit(alice, wired.url + path(room), may_note=NO_NETWORK).page
    expect_connected(page)
    if arrived:
        wired.mute()
        write(page, "Only once")
        assert wait_for(lambda: stored(room) == ["Only once"], seconds=WAIT_SECONDS)
        wired.cut()
    else:
        wired.cut()
        write(page, "Only once")
    expect(page.locator(".message--pending")).to_have_count(1)
    page.goto("about:blank")
    wired.mend()
    page.goto(wired.url + path(room))
    expect(bodies(page)).to_have_text(["Only once"])
    expect(page.locator(".message--pending")).to_have_count(0)
    assert wait_for(lambda: waiting(page) == 0, seconds=WAIT_SECONDS)
    assert stored(room) == ["Only once"]
    page.reload()
    expect_connected(page)
    expect(bodies(page)).to_have_text(["Only once"])


def test_own_message_is_edited_deleted_and_restored(server: RunningServer, visit: Visit) -> None:
    alice, bob = person("alice"), person("bob")
    room = open_room(alice)
    page, other = (visit(user, server.url + path(room)).page for user in (alice, bob))
    for each in (page, other):
        expect_connected(each)
    write(page, "Frist")
    expect(bodies(other)).to_have_text(["Frist"])
    expect(page.locator(".message--pending")).to_have_count(0)
    page.get_by_label("Message to Tea kitchen").press("ArrowUp")
    page.get_by_label("Edit your message").fill("First")
    page.keyboard.press("Enter")
    for each in (page, other):
        expect(bodies(each)).to_have_text(["First edited"])
    bodies(page).hover()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(bodies(other)).to_have_text(["Deleted by its author"])
    page.get_by_role("button", name="Restore").click()
    for each in (page, other):
        expect(bodies(each)).to_have_text(["First edited"])


def test_room_reads_without_javascript(server: RunningServer, visit: Visit) -> None:
    alice = person("alice")
    room = open_room(alice)
    say(alice, room, "Plain **words**")
    page = visit(None, server.url + path(room), java_script_enabled=False).page
    expect(page.get_by_role("heading", name="Tea kitchen")).to_be_visible()
    expect(page.locator(".message__body")).to_have_text(["Plain words"])
    expect(page.locator(".message__body strong")).to_have_text("words")
    expect(page.locator("noscript .composer__closed-text")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@aside
def a_room_of_everything(alice: User, bob: User) -> Room:
    """Runs, quotes, code, an edit, deletions and what bob has not read."""
    room = open_room(alice)
    join_room(bob, room.pk)
    first = say(alice, room, "Who has the **key**?")
    say(alice, room, CODE)
    say(bob, room, "I do.", reply_to=first)
    edited = say(bob, room, "It is blau.")
    edit_message(bob, edited, body="It is blue.")
    gone = say(alice, room, "Never mind")
    say(bob, room, "Why?", reply_to=gone)
    delete_message(alice, gone)
    Membership.objects.filter(room=room, user=bob).update(read_seq=Room.objects.get(pk=room.pk).last_seq)
    say(alice, room, "مرحبا")
    say(alice, room, "> as said\n\nyes", reply_to=edited)
    return room


@pytest.mark.parametrize("reader", ["member", "visitor", "member far behind"])
def test_server_and_browser_draw_the_same_messages(server: RunningServer, visit: Visit, reader: str) -> None:
    alice, bob = person("alice"), person("bob")
    room = a_room_of_everything(alice, bob)
    if reader == "member far behind":
        answer_from_afar(alice, room)
    user = None if reader == "visitor" else bob
    drawn = visit(user, server.url + path(room), java_script_enabled=False).page
    taken_over = visit(user, server.url + path(room)).page
    expect(taken_over.locator(".messages--live")).to_be_visible()
    before = Canonical(drawn.locator(".messages__list").inner_html()).parts
    after = Canonical(taken_over.locator(".messages__list").inner_html()).parts
    assert before == after


@aside
def answer_from_afar(author: User, room: Room) -> None:
    """An answer to a message that is no longer on its page."""
    asked = say(author, room, "How many lines?")
    say_lines(author, room, 50)
    say(author, room, "Fifty.", reply_to=asked)


@aside
def say_lines(author: User, room: Room, count: int) -> None:
    for number in range(count):
        say(author, room, f"Line {number}")


def test_older_messages_come_on_scrolling_up(server: RunningServer, visit: Visit) -> None:
    alice = person("alice")
    room = open_room(alice)
    say_lines(alice, room, 120)
    page = visit(None, server.url + path(room)).page
    expect(page.locator(".messages--live")).to_be_visible()
    expect(page.get_by_text("Line 119", exact=True)).to_be_in_viewport()
    expect(bodies(page)).to_have_count(50)
    page.get_by_text("Line 70", exact=True).scroll_into_view_if_needed()
    expect(bodies(page)).to_have_count(100)
    expect(page.get_by_text("Line 70", exact=True)).to_be_in_viewport()
    page.get_by_text("Line 20", exact=True).scroll_into_view_if_needed()
    expect(bodies(page)).to_have_count(120)
    assert shown(page) == [f"Line {number}" for number in range(120)]


# Scrolls up, and has the list drawn anew before the browser tells of the scrolling.
SCROLL_AND_DRAW = """async () => {
  const module = (name) => import([...document.querySelectorAll("link[rel=modulepreload]")]
    .map((link) => link.href).find((href) => href.includes(`/state/${name}.`)));
  const [{ view }, { activeId }] = [await module("rooms"), await module("view")];
  const list = document.querySelector(".messages--live");
  const state = view(activeId.value);
  const end = list.scrollTop;
  list.scrollTop = 0;
  state.value = { ...state.value };
  for (let turn = 0; turn < 20; turn += 1) await null;
  return [end, list.scrollTop];
}"""


def test_whoever_scrolls_up_is_not_pulled_back_by_what_comes(server: RunningServer, visit: Visit) -> None:
    alice = person("alice")
    room = open_room(alice)
    say_lines(alice, room, 60)
    page = visit(None, server.url + path(room)).page
    expect(page.get_by_text("Line 59", exact=True)).to_be_in_viewport()
    end, top = page.evaluate(SCROLL_AND_DRAW)
    assert end > 0 and top == 0


def test_unread_is_counted_until_the_room_is_opened(server: RunningServer, visit: Visit) -> None:
    alice, bob = person("alice"), person("bob")
    here, there = open_room(alice), open_room(alice)
    for room in (here, there):
        join_room(bob, room.pk)
    page = visit(bob, server.url + path(here)).page
    expect_connected(page)
    item = page.locator(f'.room-item[href="{path(there)}"]')
    for number in (1, 2):
        say(alice, there, f"Line {number}")
        expect(item.locator(".count")).to_have_text(f"unread: {number}")
        expect(page).to_have_title(f"({number}) Tea kitchen · Chat")
    item.click()
    expect(bodies(page)).to_have_text(["Line 1", "Line 2"])
    expect(page).to_have_url(server.url + path(there))
    expect(page).to_have_title("Tea kitchen · Chat")
    page.reload()
    expect_connected(page)
    expect(item.locator(".count")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_have_no_barrier_that_axe_finds(
    server: RunningServer, visit: Visit, scheme: str, width: int
) -> None:
    alice, bob = person("alice"), person("bob")
    room = a_room_of_everything(alice, bob)
    shape = {"color_scheme": scheme, "viewport": {"width": width, "height": 860}, "reduced_motion": "reduce"}
    reading = visit(bob, server.url + path(room), **shape).page
    expect(reading.locator(".messages--live")).to_be_visible()
    assert_no_barrier(reading)
    assert_no_barrier(visit(bob, f"{server.url}/", **shape).page)
    assert_no_barrier(visit(bob, f"{server.url}/rooms/new/", **shape).page)
    visitor = visit(None, server.url + path(room), **shape).page
    expect(visitor.locator(".messages--live")).to_be_visible()
    write(visitor, "Hello")
    expect(visitor.get_by_label("Your name")).to_be_focused()
    assert_no_barrier(visitor)
    for address in ("/accounts/login/", "/accounts/signup/", "/accounts/guest/"):
        visitor.goto(server.url + address)
        assert_no_barrier(visitor)
