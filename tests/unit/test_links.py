"""Which hosts a text links to, whatever it does to hide or fake them, and what rules do with that."""

import pytest

from chat.text.automod import Rule, Ruleset
from chat.text.links import find_hosts

ROOM = 7


def matches(domains, body, kind):
    words = (domains,) if isinstance(domains, str) else domains
    return Ruleset([Rule(1, kind, None, words=words)]).screen(body, room_id=ROOM).matched == (1,)


LINKS_TO_EVIL = [
    "https://evil.example", "see http://evil.example/a?b#c", "HTTPS://EVIL.EXAMPLE", "https://www.evil.example.",
    "https://a.b.evil.example:8080/", "https://evil.example.:443", "<https://evil.example>", "(https://evil.example)",
    "https://evil.example!", "https://evil.example,", "https://evil.example…", "[x](https://evil.example)",
    "[https://good.example](https://evil.example)", "[x](<https://evil.example> 'title')",
    "[x](//evil.example)",
    "https://good.example@evil.example", "https://good.example:pass@evil.example/", "[x](<https://a)b@evil.example>)",
    "https://good.example\\@evil.example", "https:evil.example", "https:/evil.example",
    "http:\\\\evil.example",
    "evil.example/path", "www.evil.example", "**https://evil.example**", "https://evil%2Eexample",
    "https://ｅｖｉｌ.example", "https://evil。example", "ev\u00adil.example/x", "https://ev\u200bil.example",
    "https://ev&#105;l.example", "evil&period;example/x", "evil\\.example/x",
]  # fmt: skip


@pytest.mark.parametrize("body", LINKS_TO_EVIL)
def test_a_link_to_a_domain_is_recognised(body):
    assert matches("evil.example", body, "links_denied")
    assert matches("good.example", body, "links_allowed")
    assert Ruleset([Rule(1, "first_links", None, threshold=1)]).screen(body, room_id=ROOM).has_links


@pytest.mark.parametrize(
    "body",
    [
        "https://good.example", "https://notevil.example", "https://evil.example.good.example", "evil",
        "evil example",
        "https://good.example/https-evil.example-x", "me@evil.example",
        "https://evil.example@good.example", "https://еvil.example", "https://xn--vil-qdd.example",
    ],
)  # fmt: skip
def test_other_links_are_not_denied(body):
    assert not matches("evil.example", body, "links_denied")


@pytest.mark.parametrize(
    "body",
    [
        "no links", "e.g. this", "i.e.", "well.Then", "wait...what", "3.14", "10:30", "and/or", "a // b",
        "no.",
        "...",
        "me@evil.com", "mailto:me@evil.com", "1.2.3", "//", "https://", "https: //", "src/app.html", "@alice",
    ],
)  # fmt: skip
def test_text_without_links_has_none(body):
    assert find_hosts(body).linked == frozenset()


def test_a_denied_domain_may_not_even_be_named_while_other_dotted_words_are_no_links():
    assert matches("evil.example", "go to evil.example now", "links_denied")
    assert matches("evil.example", "https://good.example/?to=evil.example", "links_denied")
    assert not matches("good.example", "https://good.example/?to=evil.example", "links_allowed")
    assert not matches("good.example", "go to evil.example now", "links_allowed")
    assert matches("good.example", "go to evil.com now", "links_allowed")


@pytest.mark.parametrize(
    ("domain", "body"),
    [
        ("bücher.example", "https://bücher.example"), ("bücher.example", "https://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example", "https://BÜCHER.example"), ("bücher.example", "https://shop.bu\u0308cher.example"),
        ("Evil.Example.", "https://evil.example"), ("zip", "https://report.zip"), ("пример.рф", "пример.рф"),
    ],
)  # fmt: skip
def test_domains_are_compared_in_one_form(domain, body):
    assert matches(domain, body, "links_denied")
    assert not matches(domain, body, "links_allowed")


def test_allowed_links_are_those_of_the_list_and_below():
    allowed = ("good.example", "docs.other.example")
    for body in ("https://good.example", "https://a.good.example and docs.other.example/x", "no link"):
        assert not matches(allowed, body, "links_allowed"), body
    for body in (
        "https://other.example",
        "https://good.example https://evil.example",
        "http://127.0.0.1",
        "http://[::1]",
    ):
        assert matches(allowed, body, "links_allowed"), body
