"""The browser's pure modules, run in the browser; and that the server draws people as they do."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from chat.models import Category
from chat.templatetags import chat_people, chat_timeline

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "lib"
HOST = "http://lib.test"
MAX_SCRIPT_BYTES = 60_000
# Scripts of other pages than the chat's.
ELSEWHERE = {"js/desk.js", "js/api-docs.js"}
# Menus, questions, details and what is told in person: read when they are first shown.
READ_LATER = {
    "js/lib/names.js",
    "js/lib/sanctions.js",
    "js/lib/told.js",
    "js/state/barred.js",
    "js/state/desk.js",
    "js/state/held.js",
    "js/state/members.js",
    "js/state/moderation.js",
    "js/state/outage.js",
    "js/state/told.js",
    "js/ui/banner.js",
    "js/ui/barred.js",
    "js/ui/desk-pane.js",
    "js/ui/dialogs.js",
    "js/ui/keys.js",
    "js/ui/lift-dialog.js",
    "js/ui/me-items.js",
    "js/ui/menus.js",
    "js/ui/name-card.js",
    "js/ui/notice-cards.js",
    "js/ui/pane.js",
    "js/ui/person-items.js",
    "js/ui/person.js",
    "js/ui/question.js",
    "js/ui/remove-dialogs.js",
    "js/ui/report-dialog.js",
    "js/ui/sanction-dialog.js",
    "js/ui/settings.js",
    "js/ui/toast.js",
    "js/ui/waiting.js",
}
NAMES = [
    "Ines Carvalho",
    "  mei-lin  Hsu ",
    "يوسف حداد",
    "Luka Šimić",
    "👩‍👧 both",
    "e\u0301mile zola",
    "ß",
    "Oona van der Berg",
]
BODIES = [
    "# Title\n> quoted `code` *word*",
    "- one\n- two",
    "```py\nx = 1\n```",
    "~~gone~~ __loud__ a\n\nb",
    "x" * 300,
]


def names_of(path: Path) -> list[str]:
    return re.findall(r'^  (?:async )?"(.+)"\(\) \{$', path.read_text(), flags=re.MULTILINE)


def imported_by(path: Path) -> set[Path]:
    # Those read later as well: a file's name holds the hash of what it imports, so no circle may close.
    found = re.findall(r'(?:from |import |import\()"(\.[^"]+)"', path.read_text())
    return {(path.parent / name).resolve() for name in found}


CASES = [(path.name, name) for path in sorted(HERE.glob("*.test.js")) for name in names_of(path)]


@pytest.fixture
def modules(page: Page) -> Iterator[Page]:
    """A page that can import the modules and their tests from one made-up host."""

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(HOST).lstrip("/")
        if not path:
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(path=ROOT / path, content_type="text/javascript")

    page.route(f"{HOST}/**", serve)
    page.goto(HOST)
    yield page


@pytest.mark.parametrize(("file", "name"), CASES, ids=lambda value: value)
def test_pure_module(modules: Page, file: str, name: str) -> None:
    modules.evaluate(
        "async ([file, name]) => (await import(`/tests/browser/lib/${file}`)).tests[name]()", [file, name]
    )


def test_part_that_arrives_between_its_drawing_and_its_effect_is_shown(modules: Page) -> None:
    modules.set_content(
        '<html lang="en"><script id="boot" type="application/json">{}</script><div id="page"></div></html>'
    )
    modules.evaluate(
        "async () => {"
        " const [{ readLater, NameCard }, { html, render }] ="
        "  await Promise.all([import('/static/js/ui/later.js'), import('/static/js/vendor/preact.js')]);"
        " let arrive;"
        " readLater({ name: () => new Promise((resolve) => (arrive = resolve)) });"
        " NameCard.load();"
        " render(html`<${NameCard} />`, document.getElementById('page'));"
        " arrive({ default: () => html`<p>Here</p>` }); }"  # microtasks, so before any effect
    )
    expect(modules.get_by_text("Here")).to_be_visible()


def test_server_and_browser_draw_the_same_people(modules: Page) -> None:
    people = [
        {"id": 17 * index, "display_name": name, "is_guest": index % 3 == 0}
        for index, name in enumerate(NAMES, 1)
    ]
    drawn = modules.evaluate(
        "async (people) => { const lib = await import('/static/js/lib/people.js');"
        " return people.map((user) => [lib.beadClass(user), lib.initials(user)]); }",
        people,
    )
    assert drawn == [[chat_people.bead_class(user), chat_people.initials(user)] for user in people]


def test_server_and_browser_cut_the_same_previews(modules: Page) -> None:
    cut = modules.evaluate(
        "async (bodies) => bodies.map((await import('/static/js/lib/text.js')).plain)", BODIES
    )
    assert cut == [chat_timeline.plain(body) for body in BODIES]


def test_browser_and_server_have_the_same_reasons(modules: Page) -> None:
    listed = modules.evaluate("async () => (await import('/static/js/lib/sanctions.js')).CATEGORIES")
    assert listed == [[value, str(label)] for value, label in Category.choices]


def test_vendored_file_is_the_recorded_one() -> None:
    vendor = ROOT / "static/js/vendor"
    recorded = re.search(r"SHA-256 of `preact.js`: `([0-9a-f]{64})`", (vendor / "README.md").read_text())
    assert recorded is not None
    assert hashlib.sha256((vendor / "preact.js").read_bytes()).hexdigest() == recorded[1]


def test_every_module_is_preloaded() -> None:
    listed = set(re.findall(r"'(js/[^']+)'", (ROOT / "templates/chat/_modules.html").read_text()))
    static = ROOT / "static"
    modules = {str(path.relative_to(static)) for path in (static / "js").rglob("*.js")}
    assert listed == modules - {"js/main.js"} - READ_LATER - ELSEWHERE


def test_page_stays_within_its_budget() -> None:
    at_once = {
        path
        for path in (ROOT / "static/js").rglob("*.js")
        if str(path.relative_to(ROOT / "static")) not in READ_LATER | ELSEWHERE
    }
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in at_once) <= MAX_SCRIPT_BYTES


def test_modules_are_short_and_point_one_way() -> None:
    layers: dict[str, set[str]] = {
        "chat-client": set(),
        "lib": set(),
        "net": {"chat-client", "lib"},
        "state": {"chat-client", "lib", "net", "vendor"},
        "ui": {"lib", "state", "vendor"},
    }
    for path in (ROOT / "static/js").rglob("*.js"):
        layer = path.parent.name
        if layer not in layers:
            continue
        source = path.read_text()
        assert len(source.splitlines()) <= 150, path
        for target in re.findall(r'from "\.\./([\w-]+)/', source):
            assert target in layers[layer], (path, target)


def test_modules_have_no_cycle() -> None:
    root = ROOT / "static/js"
    vendored = root / "vendor/preact.js"
    imports = {path: imported_by(path) - {vendored} for path in root.rglob("*.js") if path != vendored}
    done: set[Path] = set()
    while True:
        free = {path for path, needs in imports.items() if path not in done and needs <= done}
        if not free:
            break
        done |= free
    assert set(imports) == done, sorted(set(imports) - done)


def test_high_contrast_stands_twice_in_step() -> None:
    tokens = (ROOT / "static/css/tokens.css").read_text()
    queried = re.search(r':root:not\(\[data-contrast="normal"\]\) \{(.*?)\}', tokens, re.DOTALL)
    chosen = re.search(r'^\[data-contrast="more"\] \{(.*?)\}', tokens, re.DOTALL | re.MULTILINE)
    assert queried is not None and chosen is not None
    assert queried[1].split() == chosen[1].split()
