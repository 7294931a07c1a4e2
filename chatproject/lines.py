"""Text of one line, as people write it: into names and topics, and into reasons.

Control and bidi characters in such a line would reorder or hide what stands beside it, and a tower of
combining marks would be drawn over other people's lines. Sources: Unicode TR 36, 2.5; TR 9, 6.
"""

import unicodedata

from chatproject.errors import AppError, Code

# Vietnamese and Hebrew need two or three marks on one letter; more is a tower over other people's lines.
MAX_MARKS_IN_A_ROW = 3
# Control, format (bidi, zero width) and surrogate characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_MARKS = frozenset({"Mn", "Me"})
# Persian spells with the one, pictures are joined with the other.
_JOINERS = "\u200c\u200d"


def clean_line(raw: str, *, field: str) -> str:
    """What names a thing: in NFC, with single spaces. Raises AppError INVALID with ``field``."""
    line = " ".join(unicodedata.normalize("NFC", raw).split())
    if any(_is_unseen(char) for char in line):
        raise _refused(field, "Characters that cannot be seen are not allowed.")
    if marks_in_a_row(line) > MAX_MARKS_IN_A_ROW:
        raise _refused(field, "Too many marks on one letter.")
    return line


def plain_line(raw: str) -> str:
    """What explains a thing: as ``clean_line``, without what that would refuse.

    Whoever reports a text with such characters may have copied it into the report.
    """
    kept, run = [], 0
    for char in unicodedata.normalize("NFD", " ".join(raw.split())):
        run = run + 1 if unicodedata.category(char) in _MARKS else 0
        if run <= MAX_MARKS_IN_A_ROW and not _is_unseen(char):
            kept.append(char)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def marks_in_a_row(text: str) -> int:
    """The height of the highest tower of marks."""
    longest = run = 0
    for char in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.category(char) in _MARKS else 0
        longest = max(longest, run)
    return longest


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN and char not in _JOINERS


def _refused(field: str, words: str) -> AppError:
    return AppError(Code.INVALID, words, fields={field: [words]})
