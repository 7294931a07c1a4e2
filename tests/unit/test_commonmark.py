"""The examples of CommonMark's specification: all of them render, and nothing but our subset comes out."""

import contextlib
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chat.text.render import clean_body, render
from chatproject.errors import AppError

NODE = Path(__file__).resolve().parent.parent / "node"
ATTRIBUTES = {
    "p": {"dir"},
    "br": set(),
    "em": set(),
    "strong": set(),
    "s": set(),
    "code": {"class", "dir"},
    "pre": {"dir", "tabindex"},
    "blockquote": set(),
    "ul": set(),
    "ol": {"start"},
    "li": {"dir"},
    "a": {"href", "rel"},
}
REL = "noopener noreferrer nofollow ugc"
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


class Reader(HTMLParser):
    """Reads markup as a browser does, and notes what is no part of the subset and what is left open."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.unsafe, self.open = [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        allowed = ATTRIBUTES.get(tag)
        self.unsafe += [(tag, name) for name, _ in attrs if allowed is None or name not in allowed]
        if allowed is None:
            self.unsafe.append(tag)
        given = dict(attrs)
        if tag == "a" and (given.get("rel") != REL or not is_outward(given.get("href", "#"))):
            self.unsafe.append((tag, given))
        if tag == "code" and not re.fullmatch(r"|language-\S+", given.get("class", "")):
            self.unsafe.append((tag, given))
        if len(given) != len(attrs):
            self.unsafe.append((tag, "an attribute twice"))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unsafe.append(f"/{tag}")

    def handle_comment(self, data):
        self.unsafe.append(f"<!--{data}")

    def handle_decl(self, decl):
        self.unsafe.append(f"<!{decl}")

    def handle_pi(self, data):
        self.unsafe.append(f"<?{data}")


def is_outward(href):
    """Whether an address leads where we let it: by a scheme of ours, or to a path of this site."""
    # Browsers leave these out before they read the scheme (URL Standard, 4.4).
    scheme = SCHEME.match(re.sub(r"[\t\n\r]", "", href.lstrip("".join(map(chr, range(0x21))))))
    return scheme is None or scheme[1].lower() in {"http", "https", "mailto"}


@pytest.fixture(scope="module")
def examples():
    printed = subprocess.run(["node", "commonmark.js"], cwd=NODE, capture_output=True, text=True, check=True)
    return json.loads(printed.stdout)


def test_the_reader_sees_what_is_unsafe():
    for markup in (
        "<script>1</script>", '<p onclick="1">', '<a href="javascript:1" rel="' + REL + '">x</a>', "<p>",
        '<a href="https://example.org">x</a>', "<!-- x -->", "<em><s></em></s>", '<code class="x"></code>',
        f'<a href=" javascript:1" rel="{REL}">x</a>', f'<a href="&#106;avascript:1" rel="{REL}">x</a>',
    ):  # fmt: skip
        reader = Reader(markup)
        assert reader.unsafe or reader.open, markup


def test_every_example_renders_as_our_subset(examples):
    assert len(examples) == 652
    for example in examples:
        # As it stands in the document, and as a message would be kept, where it could be one.
        bodies = [example["markdown"]]
        with contextlib.suppress(AppError):
            bodies.append(clean_body(example["markdown"]))
        for body in bodies:
            reader = Reader(render(body))
            assert (reader.unsafe, reader.open) == ([], []), (example, render(body))
