"""The staff's desk in a browser: no complaint of the console, in both themes, and news without a reload."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from chat.actions.holding import approve_held
from chat.actions.posting import post_message
from tests.browser.aside import aside
from tests.scenes import Scene, employ, last_action, scene

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def desk(committed_db, visit, server):
    """Root at the index, and a room with one of everything."""
    root: User = aside(employ)(root=True)
    around: Scene = aside(scene)(root)
    return root, around, visit(root, f"{server.url}/admin/").page


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_the_desk_are_clean_and_fit(desk, visit, server, width, theme):
    root, around, _ = desk
    action = aside(last_action)("message.deleted")
    at = f"{server.url}/admin/"
    shape = {"viewport": {"width": width, "height": 860}, "color_scheme": theme}
    page = visit(root, at, **shape).page
    for path in (
        "",
        "chat/report/",
        f"chat/report/{around.report.pk}/change/",
        "chat/moderationaction/",
        f"chat/moderationaction/{action.pk}/change/",
        "chat/automodrule/add/",
        f"chat/automodrule/{around.hit.rule_id}/change/",
        f"chat/heldmessage/{around.held.pk}/change/",
        "chat/sanction/add/",
        f"chat/room/{around.cast.room.pk}/change/",
        f"accounts/user/{around.cast.bob.pk}/desk/",
        f"accounts/user/{around.cast.bob.pk}/clean-up/",
        f"desk/rights/?person={around.cast.bob.pk}&room={around.cast.room.pk}",
    ):
        answer = page.goto(at + path)
        assert answer is not None and answer.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(253, 254, 255)" if theme == "light" else "rgb(13, 25, 28)")


def test_numbers_and_news_come_without_a_reload(desk, visit, server):
    root, around, page = desk
    held = page.locator("[data-desk-count=held]")
    before = int(held.inner_text())
    queue = visit(root, f"{server.url}/admin/chat/heldmessage/").page
    queue.locator("#action-toggle").check()
    chosen = queue.locator("tr.selected").count()
    news = queue.get_by_role("status").get_by_role("link")
    expect(news).to_be_hidden()
    aside(_hold)(around)
    expect(held).to_have_text(str(before + 1))
    expect(news).to_have_text("1 new. Show them.")
    assert queue.locator("tr.selected").count() == chosen >= 1
    news.click()
    expect(queue.locator("#result_list")).to_contain_text("forbiddenword again")
    aside(approve_held)(root, around.held.pk)
    expect(held).to_have_text(str(before))


def _hold(around: Scene) -> None:
    import uuid

    post_message(around.cast.bob, around.cast.room.pk, client_id=uuid.uuid4(), body="forbiddenword again")


def test_a_report_is_decided_by_keyboard(desk, server):
    _, around, page = desk
    page.goto(f"{server.url}/admin/chat/report/{around.report.pk}/change/")
    page.get_by_role("button", name="Assign to me").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("This report is yours.")
    page.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("Decided: Dismissed.")
    expect(page.get_by_role("button", name="Dismiss")).to_have_count(0)


def test_a_room_is_found_by_typing_and_the_audit_is_downloaded(desk, server):
    _, around, page = desk
    page.goto(f"{server.url}/admin/chat/moderationaction/")
    page.locator("form:has(#pick-room) .select2-selection").click()
    page.locator(".select2-search__field").fill(around.cast.room.slug)
    page.locator(".select2-results__option", has_text="Test").first.click()
    page.locator("form:has(#pick-room) button").click()
    expect(page.locator("#result_list")).to_contain_text("Removed a message")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert "message.deleted" in download.value.path().read_text()
