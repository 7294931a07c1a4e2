"""What a text looks like to one who searches it for words: for automod, and whoever compares texts.

Every character is folded by itself to what it looks like, so a fold is one pass and folding twice changes
nothing. Sources: Unicode NFKD and case folding, TR 39 (confusables, the table of ``accounts.names``).
"""

import html
import re
import unicodedata
from dataclasses import dataclass

from accounts.names import BLANKS, look

_LETTER = r"[^\W\d_]"
# Scripts that do not put spaces between words: every character of theirs is a word.
_UNSPACED = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PICTURES = "\u2190-\u2bff\U0001f000-\U0001fbff"
_PICTURE = re.compile(f"[{_PICTURES}]")
_PICTURES_APART = re.compile(f"(?: [{_PICTURES}])+ ")
# Small capitals, letters in black circles and squares, flags, ø and đ: TR 39 leaves them apart.
_NAMED_LETTER = re.compile(
    r"(LATIN|NEGATIVE (?:CIRCLED|SQUARED) LATIN|REGIONAL INDICATOR SYMBOL)\b.*"
    r"\bLETTER (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?"
)
# One character can stand for a whole blessing (U+FDFA): a text of them may not cost twenty times its length.
_MAX_PARTS = 8
# Marks of these combining classes decorate a letter; the others spell (Indic and Thai vowels).
_DECORATING_CLASSES = frozenset({1, *range(10, 37), *range(200, 256)})

# Whether a text has other readings at all. A class of few characters first: most are passed over in C.
_ODD_SIGN = re.compile(
    rf"[$\d*~`@!|](?:(?<={_LETTER}[$\d])|(?<=[$\d])(?={_LETTER})|(?<={_LETTER}[*~`@!|])[*~`@!|]*{_LETTER})"
)
_ODD_CAPITAL = re.compile(r"I(?<=[a-z]I)|l(?<=[A-Z]l)(?=[A-Z])")
_ODD_RUN = re.compile(rf"(.)\1\1(?<={_LETTER})")
_ODD_STROKE = re.compile(rf"1(?:(?<={_LETTER}1)|(?={_LETTER}))")
_MARKUP_INSIDE = re.compile(rf"(?<={_LETTER})[*~`]+(?={_LETTER})")
_LETTERLIKE = re.compile(
    rf"(?<={_LETTER})[@!|]+(?={_LETTER})|(?<={_LETTER})\$+|(?<!\$)\$+(?={_LETTER})"
    r"|(?<=[a-z])I+|(?<=[A-Z])l(?=[A-Z])"
)
_LETTERLIKE_TO = str.maketrans("@!|$Il", "a11s11")
_DIGITS_INSIDE = re.compile(rf"(?<={_LETTER})\d+(?={_LETTER})")
_DIGITS_BESIDE = re.compile(rf"(?<={_LETTER})[01]+|(?<![01])[01]+(?={_LETTER})")
_DIGITS_TO_L = str.maketrans("0134578", "oleastb")
_DIGITS_TO_I = str.maketrans("0134578", "oieastb")
_RUN = re.compile(rf"({_LETTER})\1\1+")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as words: lower-case, each with one space before and after it, " like this ".

    ``readings`` are other ways in which somebody may read the same text, without ``words``; most texts
    have none: digits and signs as letters ("b4d", "b@d"), markup inside a word taken out ("b**a**d"),
    repeated letters shortened to two and to one ("baaad"), pictures between words left out.
    """

    words: str
    readings: tuple[str, ...] = ()


def fold(text: str) -> Folded:
    """``text`` as it looks, in time linear in its length. Never raises.

    Full width, styled, accented and lookalike letters are the letter they look like; characters that
    cannot be seen are gone; punctuation separates words, and so does every character of a script without
    spaces and every picture.
    """
    if "&" in text:
        text = html.unescape(text)
    words = _words(text)
    found: dict[str, None] = {}
    if _is_odd(text, words):
        found.update(dict.fromkeys(_loosened(text, words)))
    if _PICTURE.search(words):
        found[_PICTURES_APART.sub(" ", words)] = None
    found.pop(words, None)
    return Folded(words, tuple(found))


def fold_entry(entry: str) -> str:
    """The words of an entry of a list: as in a text, but "b@d" is one word. White space if it has none."""
    return _words(_signs_as_letters(html.unescape(entry).casefold()))


def _words(text: str) -> str:
    return f" {' '.join(text.translate(_looks).split())} "


def _is_odd(text: str, words: str) -> bool:
    if _ODD_SIGN.search(text) or _ODD_CAPITAL.search(text) or _ODD_RUN.search(text):
        return True
    # What is not ASCII shows only when folded which letters are the same, and which are strokes.
    return not text.isascii() and bool(_ODD_RUN.search(words) or _ODD_STROKE.search(words))


def _loosened(text: str, words: str) -> list[str]:
    loose = _signs_as_letters(text)
    if loose != text:
        words = _words(loose)
    readings = [words, _digits_as_letters(words, _DIGITS_TO_L), _digits_as_letters(words, _DIGITS_TO_I)]
    for reading in tuple(dict.fromkeys(readings)):
        if _RUN.search(reading):
            readings += [_RUN.sub(r"\1\1", reading), _RUN.sub(r"\1", reading)]
    return readings


def _signs_as_letters(text: str) -> str:
    text = _MARKUP_INSIDE.sub("", text)
    return _LETTERLIKE.sub(lambda found: found[0].translate(_LETTERLIKE_TO), text)


def _digits_as_letters(words: str, table: dict[int, int]) -> str:
    def read(digits: re.Match[str]) -> str:
        return digits[0].translate(table)

    return _DIGITS_BESIDE.sub(read, _DIGITS_INSIDE.sub(read, words))


class _Looks(dict[int, str]):
    """Character → what it looks like, found when it is first seen."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        seen = "".join(_placed(part) for part in _seen(char))
        if len(seen) > _MAX_PARTS:
            seen = _placed(char)
        # Private and unassigned characters are a million: they may not fill the memory.
        if unicodedata.category(char) not in {"Co", "Cn"}:
            self[code] = seen
        return seen


_looks = _Looks()


def _seen(char: str) -> str:
    seen, before = char, ""
    for _ in range(6):
        if seen == before:
            break
        before = seen
        seen = "".join(_step(part) for part in unicodedata.normalize("NFKD", seen.casefold()))
    return seen


def _step(char: str) -> str:
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if _is_unseen(char):
        return ""
    named = _NAMED_LETTER.fullmatch(unicodedata.name(char, ""))
    if named:
        letter = named[2].lower()
        # A flag is two of these: they stay apart, so that only three in a row can spell a word.
        return f" {letter} " if named[1].startswith("REGIONAL") else letter
    if _UNSPACED.match(char) or unicodedata.bidirectional(char) in {"R", "AL", "AN"}:
        return char
    seen = look(char)
    if seen.casefold() == char:
        return char
    # What looks like a bare stroke may stand for i as well as for l, as the digit may.
    return "1" if seen == "l" else seen


def _is_unseen(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Mn":
        return unicodedata.combining(char) in _DECORATING_CLASSES or char in BLANKS or _is_selector(char)
    return category in {"Me", "Cf", "Cs"} or char in BLANKS or "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _placed(char: str) -> str:
    if char.isalnum() and char.isascii():
        return char
    if _UNSPACED.match(char) or _PICTURE.match(char):
        return f" {char} "
    return char if unicodedata.category(char)[0] in "LNM" else " "
