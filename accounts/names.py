"""Names that people are shown by: what is allowed, and when two look alike.

The skeleton follows Unicode TR 39: NFKC, the confusables table, case folding, and without spaces and
punctuation. Two people in one place never have the same skeleton (a partial unique index holds it).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data

from chatproject.errors import AppError, Code
from chatproject.lines import MAX_MARKS_IN_A_ROW, marks_in_a_row

MAX_NAME_CHARS = 40
MAX_SKELETON_CHARS = 255
# Control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph separators.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that show as nothing: fillers of Hangul and Khmer, the blank Braille cell, CGJ.
BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\u034f\u180b\u180c\u180d\u180f")
IGNORED_IN_SKELETON = frozenset("PZCM")
# Refused as a whole name, also with digits after it.
RESERVED = (
    "admin", "administrator", "moderator", "mod", "staff", "support", "system", "root", "owner", "official",
    "help", "helpdesk", "security", "bot", "guest", "everyone", "here", "all", "anonymous", "deleted", "null",
    "webmaster", "postmaster", "sysadmin", "superuser", "team", "you", "me",
)  # fmt: skip
# Refused as any word of a name.
RESERVED_WORDS = ("admin", "administrator", "moderator", "sysadmin")


def clean_display_name(raw: str, *, may_be_reserved: bool = False) -> str:
    """The name as it is kept. Raises AppError INVALID with ``fields``: what is wrong, for the person.

    Commands and staff may use a reserved name; guests and sign-ups may not.
    """
    name = unicodedata.normalize("NFC", raw).strip()
    if not name:
        raise invalid_name("Give a name.")
    if len(name) > MAX_NAME_CHARS:
        raise invalid_name(f"At most {MAX_NAME_CHARS} characters.")
    if any(char in BLANKS or unicodedata.category(char) in REFUSED_CATEGORIES for char in name):
        raise invalid_name("This name has characters that cannot be seen.")
    name = re.sub(r"\s+", " ", name)
    if marks_in_a_row(name) > MAX_MARKS_IN_A_ROW or unicodedata.category(name[0]).startswith("M"):
        raise invalid_name("Too many marks on one letter.")
    if not 0 < len(skeleton(name)) <= MAX_SKELETON_CHARS:
        raise invalid_name("Use letters or digits.")
    if not may_be_reserved and is_reserved(name):
        raise invalid_name("This name is kept for the people who run this place.")
    return name


def invalid_name(text: str) -> AppError:
    """The refusal of a display name."""
    return AppError(Code.INVALID, text, fields={"display_name": [text]})


def skeleton(name: str) -> str:
    """What ``name`` looks like. Equal for names that people would confuse."""
    # Twice: the table tells a capital Greek Nu from a small one (N, v), and folding makes new partners.
    text = look(unicodedata.normalize("NFKC", name)).casefold()
    text = look(unicodedata.normalize("NFKC", text)).casefold()
    # The table joins I, l and 1; folding joins I and i.
    text = text.replace("i", "l")
    return "".join(char for char in text if unicodedata.category(char)[0] not in IGNORED_IN_SKELETON)


def look(text: str) -> str:
    """``text`` with every character replaced by its prototype: what it looks like (TR 39, 4)."""
    return text.translate(_prototypes())


def is_reserved(name: str) -> bool:
    """Whether ``name`` claims to speak for the place."""
    words = [_without_number(word) for word in re.split(r"[\W_]+", name) if word]
    whole = skeleton(_without_number(name))
    return whole in _skeletons(RESERVED) or any(
        skeleton(word) in _skeletons(RESERVED_WORDS) for word in words
    )


def alternatives(name: str, *, count: int = 20) -> list[str]:
    """Names close to ``name``, in the order to offer them: "Noor 2", "Noor 3", …"""
    ends = [f" {number}" for number in range(2, count + 2)]
    return [name[: MAX_NAME_CHARS - len(end)].rstrip() + end for end in ends]


def _without_number(text: str) -> str:
    return re.sub(r"[\W\d_]+$", "", text) or text


@lru_cache(maxsize=8)
def _skeletons(words: Iterable[str]) -> frozenset[str]:
    return frozenset(skeleton(word) for word in words)


@lru_cache(maxsize=1)
def _prototypes() -> dict[int, str]:
    """Character → what it looks like (TR 39, 4).

    The library keeps each pair of the table in both directions. A source has one partner, its prototype;
    of a pair that stands alone the longer, then the lower, is the prototype.
    """
    found: dict[int, str] = {}
    for source, entries in confusables_data.items():
        char = source.strip("\u200e")
        partners = {entry["c"].strip("\u200e") for entry in entries}
        if len(char) != 1 or len(partners) != 1:
            continue
        (prototype,) = partners
        alone = len(confusables_data.get(prototype, ())) == 1
        if alone and len(prototype) == 1 and ord(prototype) > ord(char):
            continue
        found[ord(char)] = prototype
    return found
