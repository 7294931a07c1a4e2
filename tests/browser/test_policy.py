"""A page that breaks its policy is stopped, and fails the test that opened it."""

import pytest
from playwright.sync_api import Error

from tests.browser.aside import aside
from tests.scenes import employ

pytestmark = pytest.mark.usefixtures("committed_db")
ELSEWHERE = "https://elsewhere.example/x"
TYPES = "require-trusted-types-for"
# What breaks it; the directive that says so on pages; and in the admin and the API docs, which have no types.
BREACHES = [
    ("document.body.append(Object.assign(new Image(), {src: '%s'}))", "img-src", "img-src"),
    ("document.body.setAttribute('style', 'color: red')", "style-src", "style-src"),
    ("fetch('%s').catch(() => {})", "connect-src", "connect-src"),
    (
        "document.head.append(Object.assign(document.createElement('script'), {text: '0'}))",
        TYPES,
        "script-src",
    ),
    ("document.querySelector('title').innerHTML = 'x'", TYPES, None),
]


@pytest.mark.parametrize(
    ("where", "is_page"),
    [("/", True), ("/accounts/login/", True), ("/admin/", False), ("/api/v1/docs", False)],
)
def test_each_breach_is_heard(server, visit, where, is_page):
    user = aside(employ)(root=True) if where == "/admin/" else None
    visitor = visit(user, server.url + where)
    assert visitor.complaints == []
    for script, on_pages, elsewhere in BREACHES:
        directive = on_pages if is_page else elsewhere
        visitor.complaints.clear()
        try:
            visitor.page.evaluate(script.replace("%s", ELSEWHERE))
        except Error as error:
            assert directive == TYPES, error
        visitor.page.wait_for_function("true")  # what the page says meanwhile is heard first
        heard = [text for text in visitor.complaints if text.startswith("policy: ")]
        assert all(text.startswith(f"policy: {directive}") for text in heard), (script, heard)
        assert bool(heard) is (directive is not None), (script, visitor.complaints)
    visitor.complaints.clear()
