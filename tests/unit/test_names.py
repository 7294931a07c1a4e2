"""Which names are allowed, and which look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.names import MAX_NAME_CHARS, MAX_SKELETON_CHARS, alternatives, clean_display_name, skeleton
from chatproject.errors import AppError, Code


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Noor", "Noor"),
        ("  Noor   van  Dijk ", "Noor van Dijk"),
        ("Noor\u00a0van\u2003Dijk", "Noor van Dijk"),
        ("Jose\u0301", "José"),
        ("يوسف حداد", "يوسف حداد"),
        ("美玲", "美玲"),
        ("🐎", "🐎"),
        ("O'Brien-Smith", "O'Brien-Smith"),
        ("x" * 40, "x" * 40),
        ("Modesty", "Modesty"),
        ("Adminah", "Adminah"),
    ],
)
def test_good_names_are_kept(raw, kept):
    assert clean_display_name(raw) == kept


@pytest.mark.parametrize(
    "raw",
    [
        "", "   ", "\u200b", "x" * 41, "a\nb", "a\tb", "a\0b", "\ud800", "a\u202eb", "a\u2066b", "a\u200db",
        "a\ufeffb", "a\u3164b", "\u2800", "\u115f", "...", "-_-", "a" + "\u0301\u0302\u0303\u0304\u0305",
        "\u0301a", "\ufdfa" * 40, "a\ue000",
    ],
)  # fmt: skip
def test_bad_names_are_refused(raw):
    with pytest.raises(AppError) as refusal:
        clean_display_name(raw)
    assert refusal.value.code == Code.INVALID
    assert refusal.value.fields["display_name"]


@pytest.mark.parametrize(
    "raw",
    [
        "admin", "Admin", "ADMIN 2", "admin1", "а\u0064min", "Adm1n", "ad.min", "Moderator", "moderаtor",
        "The Admin", "admin_team", "Staff", "ѕуѕtеm", "ｍｏｄ", "Mod!", "root",
    ],
)  # fmt: skip
def test_reserved_names_are_refused_to_people_and_open_to_commands(raw):
    with pytest.raises(AppError):
        clean_display_name(raw)
    assert clean_display_name(raw, may_be_reserved=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Noor", "noor"),
        ("Noor", "N o o r"),
        ("Noor", "Νооr"),  # Greek capital Nu, Cyrillic o
        ("Noor", "N00r"),
        ("Noor", "Ｎｏｏｒ"),
        ("Iris", "lris"),
        ("Iris", "1r1s"),
        ("Iris", "iris"),
        ("Mona", "Rnona"),
        ("Straße", "STRASSE"),
        ("José", "Jose\u0301"),
        ("alice", "аlісе"),
        ("Noor", "Noor."),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Noor", "Nora"), ("Ivan", "Inan"), ("José", "Jose"), ("Noor", "Noor 2"), ("Lee", "Leo")],
)
def test_names_that_differ_have_two(one, other):
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=60))
def test_any_text_is_kept_or_refused(raw):
    try:
        name = clean_display_name(raw)
    except AppError as refusal:
        assert refusal.code == Code.INVALID
        return
    assert 1 <= len(name) <= MAX_NAME_CHARS
    assert 1 <= len(skeleton(name)) <= MAX_SKELETON_CHARS
    assert clean_display_name(name) == name


def test_alternatives_fit():
    assert alternatives("Noor")[:2] == ["Noor 2", "Noor 3"]
    assert all(len(name) <= MAX_NAME_CHARS for name in alternatives("x" * 40))
