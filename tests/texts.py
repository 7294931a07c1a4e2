"""What every text that comes in is held against: kept in NFC, or refused; never an error of ours.

Each field belongs to a sort; the tables in tests/doors/test_input_*.py name them all.
"""

import unicodedata
import uuid

from chat.models import ModerationAction
from chatproject.lines import plain_line

# "é" twice, once in two characters; what is kept has one.
DECOMPOSED = "Jose\u0301 \u00e9"
COMPOSED = "José é"
CONTROLS = ("a\0b", "a\x1bb", "a\x9fb")
BIDI = ("a\u202eb", "a\u2066b", "a\u200fb")
UNSEEN = ("a\u200bb", "a\ufeffb")
TOWER = "a" + "\u0301\u0302\u0303" * 3
HALF = "a\ud800b"
HOSTILE = (*CONTROLS, *BIDI, *UNSEEN, TOWER, HALF)
# Where the sort of a character makes no difference.
FEW = ("a\0b", "a\u202eb", "x" * 5000)
# What it names cannot be seen twice: refused. What explains is stripped of it. Messages keep bidi text,
# which each paragraph isolates. The rest is compared or has a grammar of its own, and is shown to nobody.
NAME, LINE, WORDS, BODY, CODE = "name", "line", "words", "body", "code"
# Compared or hashed; and what automod looks for: staff see it, and it is folded before it is compared.
SECRET, ENTRY = "secret", "entry"


def kept_text(sort, answer_of, value):
    """Whether ``value`` is refused (None), or how it is kept."""
    status, kept = answer_of(value)
    assert status < 500, (sort, ascii(value), kept)
    return kept if status < 300 else None


def hold(sort, answer_of, *, can_be_half=True):
    """Holds one field against the rule of its sort. ``answer_of(value)`` is (status, what is kept)."""
    # Forms lead to the same rules as REST, which is asked with all of them.
    hostile = HOSTILE if can_be_half else ("a\0b", "a\u202eb", TOWER)
    if sort in {CODE, ENTRY}:
        for value in FEW[:2]:
            status, _ = answer_of(value)
            assert (400 if sort == CODE else 200) <= status < 500, (ascii(value), status)
        return
    status, kept = answer_of(f"{DECOMPOSED} {uuid.uuid4().hex[:12]}")
    assert status < 300 and kept.startswith(COMPOSED), (status, kept)
    refused = {
        NAME: hostile,
        LINE: hostile,
        BODY: (*CONTROLS, HALF),
        WORDS: (),
    }[sort]
    for value in refused:
        assert kept_text(sort, answer_of, value) is None, (sort, ascii(value))
    if sort == BODY:
        for value in (*BIDI, TOWER):
            assert kept_text(sort, answer_of, value) == unicodedata.normalize("NFC", value)
    if sort == WORDS:
        for value in hostile:
            kept = kept_text(sort, answer_of, value)
            assert kept is None or kept == plain_line(value)
            assert kept is None or kept in {"ab", "a b", plain_line(TOWER)}


def note_of(_answer=None):
    """The words that the newest action has in the audit."""
    action = ModerationAction.objects.latest("pk")
    return action.note.text if hasattr(action, "note") else ""
