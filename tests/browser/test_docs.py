"""The pages of the API under the strict policy."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_documentation_is_drawn_without_a_complaint(server, visit, width):
    page = visit(None, f"{server.url}/api/v1/docs", viewport={"width": width, "height": 860}).page
    expect(page.locator(".opblock-summary-path").first).to_be_visible()
    expect(page.locator("#operations-rooms-room_list")).to_be_visible()
    page.locator("#operations-rooms-room_list .opblock-summary-control").click()
    expect(page.get_by_text("The caller's list, or with").first).to_be_visible()
