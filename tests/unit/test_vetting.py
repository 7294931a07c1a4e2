"""What moderators may put into rules of automod, and what they are told otherwise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.text.automod import Rule, Ruleset
from chat.text.vetting import vet_domains, vet_pattern, vet_words
from chatproject.errors import AppError, Code


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("", "Give"), (" ", "Give"), ("(", "missing )"), (r"(\w+) \1", "invalid escape"), ("(?=x)", "(?="),
        ("a**", "**"), ("x" * 501, "500"), (".*", "empty"), ("a?", "empty"), ("^", "empty"), ("|x", "empty"),
        (r"\p{L}{1,100}", "too large"), (".{900}", "too large"), ("\ud800", "half"),
    ],
)  # fmt: skip
def test_patterns_that_cannot_be_used_are_refused(pattern, told):
    assert told in refusal(lambda: vet_pattern(pattern), field="pattern")


@pytest.mark.parametrize(
    "pattern",
    ["x" * 500, r"\bfree\s+nitro\b", r"\p{L}+", r"[а-яё]{5,}", r"\w{3,20}@\w+", "[^\\x00-\\x7f]{9}"],
)
def test_useful_patterns_are_accepted(pattern):
    vet_pattern(pattern)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "at least one"), (["fine", ""], "letters"), (["*"], "letters"), (["!?"], "letters"),
        (["\u200b"], "letters"),
        (["\u0301"], "letters"), (["x" * 101], "100"), ([f"w{number}" for number in range(10_001)], "10,000"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_used_are_refused(words, told):
    assert told in refusal(lambda: vet_words(words), field="words")


def test_useful_words_are_accepted():
    vet_words(["bad", "very bad", "spam*", "坏", "🖕", "a$$", "x" * 100])
    vet_words([f"w{number}" for number in range(10_000)])


@pytest.mark.parametrize(
    "domain",
    [
        "", " ", ".", "*", "https://evil.example", "evil.example/x", "evil..example", "-evil.example",
        "evil .example",
        "me@evil.example", "evil.example:80", ".example", "x" * 64 + ".example", "a." * 126 + "ab",
        "evil_.example",
    ],
)  # fmt: skip
def test_malformed_domains_are_refused(domain):
    assert "domain" in refusal(lambda: vet_domains(["good.example", domain]), field="words")


def test_domains_are_accepted_in_either_form():
    vet_domains(
        [
            "evil.example",
            "EVIL.example.",
            "bücher.example",
            "xn--bcher-kva.example",
            "例え.jp",
            "zip",
            "a-b.c1",
        ]
    )
    assert "10,000" in refusal(
        lambda: vet_domains([f"e{number}.org" for number in range(10_001)]), field="words"
    )
    assert "at least one" in refusal(lambda: vet_domains([]), field="words")


def refusal(vet, *, field: str) -> str:
    with pytest.raises(AppError) as refused:
        vet()
    assert refused.value.code == Code.INVALID
    assert list(refused.value.fields) == [field]
    (told,) = refused.value.fields[field]
    return told


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | st.text("ab*.-_@:/%()[]{}|?+\\^$1,xn\ud800\u200b\u0301é坏", max_size=60))
def test_no_entry_breaks_vetting(text):
    for vet in (vet_pattern, lambda entry: vet_words([entry]), lambda entry: vet_domains([entry])):
        try:
            vet(text)
        except AppError as refused:
            assert refused.code == Code.INVALID and refused.fields
    Ruleset([Rule(1, "words", None, (text,)), Rule(2, "pattern", None, pattern=text)]).screen(text, room_id=1)
