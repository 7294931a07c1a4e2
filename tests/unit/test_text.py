"""Text to HTML: what people may write, and what never gets through."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.text.render import clean_body, render
from chatproject.errors import AppError, Code

ALLOWED_TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            "a *b* **c** ~~d~~ `e`",
            '<p dir="auto">a <em>b</em> <strong>c</strong> <s>d</s> <code dir="ltr">e</code></p>',
        ),
        ("one\ntwo", '<p dir="auto">one<br>\ntwo</p>'),
        ("> quoted", '<blockquote>\n<p dir="auto">quoted</p>\n</blockquote>'),
        ("- a\n- b", '<ul>\n<li dir="auto">a</li>\n<li dir="auto">b</li>\n</ul>'),
        ("3. c", '<ol start="3">\n<li dir="auto">c</li>\n</ol>'),
        ("# no heading", '<p dir="auto"># no heading</p>'),
        ("<b>x</b>", '<p dir="auto">&lt;b&gt;x&lt;/b&gt;</p>'),
        (
            "![x](http://e.org/x.png)",
            '<p dir="auto">!<a href="http://e.org/x.png" rel="noopener noreferrer nofollow ugc">x</a></p>',
        ),
    ],
)
def test_markdown_becomes_the_subset(body, html):
    assert render(clean_body(body)) == html


def test_addresses_become_links_that_give_nothing_away():
    html = render("see https://example.org/a_b and example.org")
    assert html.count('rel="noopener noreferrer nofollow ugc"') == 2
    assert 'href="https://example.org/a_b"' in html


def test_code_is_left_to_right_and_can_be_reached_by_keyboard():
    html = render("```python\nx = 1 < 2\n```")
    assert html == '<pre dir="ltr" tabindex="0"><code class="language-python">x = 1 &lt; 2\n</code></pre>'


@pytest.mark.parametrize(
    "body",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        '[x](http://e.org "onmouseover=alert(1)")',
        '```"onclick=alert(1)\nx\n```',
        "<a href='javascript:alert(1)'>x</a>",
    ],
)
def test_nothing_that_runs_gets_through(body):
    assert_safe(render(clean_body(body)))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="<>\"'&`*_~[]()!#- \n\tabjs:/.\\=0", min_size=1, max_size=120))
def test_no_text_yields_other_tags_than_ours(text):
    try:
        body = clean_body(text)
    except AppError as refusal:
        assert refusal.code == Code.INVALID
        return
    assert_safe(render(body))


def assert_safe(html):
    tags = re.findall(r"<\s*/?\s*([a-zA-Z0-9]*)([^>]*)", html)
    assert {name for name, _ in tags} <= ALLOWED_TAGS
    for _, attributes in tags:
        assert not re.search(r"\son\w+\s*=", attributes)
        for address in re.findall(r'href="([^"]*)"', attributes):
            assert re.match(r"(https?:|mailto:|[^:]*$)", address, re.I), address


def test_line_ends_and_composition_are_made_one():
    assert clean_body(" e\u0301\r\nx\ry ") == "\u00e9\nx\ny"


@pytest.mark.parametrize("raw", ["", " \n", "\u200b", "\u3164", "a\0", "a\x1b", "\ud800", "x" * 4001])
def test_what_is_no_message_is_invalid(raw):
    with pytest.raises(AppError) as refused:
        clean_body(raw)
    assert refused.value.code == Code.INVALID and refused.value.fields


def test_4000_characters_pass():
    assert len(clean_body("x" * 4000)) == 4000


@pytest.mark.parametrize("body", ["*" * 4000, "[" * 4000, "> " * 2000, "`" * 4000, "- " * 2000, "a.b" * 1333])
def test_hostile_nesting_renders(body):
    assert_safe(render(clean_body(body)))
