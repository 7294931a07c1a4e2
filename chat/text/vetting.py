"""What a moderator may put into a rule of automod: refusals say what to do, in ``fields`` of the form."""

import re
from collections.abc import Sequence

import re2

from chat.text.folding import fold_entry
from chat.text.links import MAX_HOST_CHARS, canonical_host
from chat.text.matching import pattern_options
from chatproject.errors import AppError, Code

MAX_PATTERN_CHARS = 500
MAX_WORD_CHARS = 100
MAX_WORDS = 10_000

# Bounds what one pattern may cost each message: "\w{3,20}" is 60, "\p{L}+" 1,200, ".{500}" 4,000.
_MAX_PROGRAM_SIZE = 2_000
_MAX_COMPILE_BYTES = 1 << 18
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?|[^\x00-\x7f]{1,63}")
_MAX_SHOWN_CHARS = 40


def vet_pattern(pattern: str) -> None:
    """Raises AppError INVALID (field ``pattern``) unless RE2 can search every message for ``pattern``."""
    if not pattern.strip():
        raise _refused("pattern", "Give a pattern.")
    if len(pattern) > MAX_PATTERN_CHARS:
        raise _refused("pattern", f"At most {MAX_PATTERN_CHARS} characters.")
    options = pattern_options()
    options.max_mem = _MAX_COMPILE_BYTES
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise _refused("pattern", _why_not(error)) from error
    except UnicodeEncodeError as error:
        raise _refused("pattern", "The pattern has half a character in it.") from error
    if compiled.programsize > _MAX_PROGRAM_SIZE:
        raise _refused("pattern", _TOO_LARGE)
    if compiled.search(""):
        raise _refused("pattern", "The pattern matches an empty text, so it would match every message.")


def vet_words(words: Sequence[str]) -> None:
    """Raises AppError INVALID (field ``words``) unless each of ``words`` can be found in a message."""
    _vet_count(words, "Give at least one word.", f"At most {MAX_WORDS:,} words.")
    for word in words:
        if len(word) > MAX_WORD_CHARS:
            raise _refused("words", f"“{_short(word)}” is longer than {MAX_WORD_CHARS} characters.")
        if not fold_entry(word).strip():
            raise _refused("words", f"“{_short(word)}” has no letters or digits in it.")


def vet_domains(domains: Sequence[str]) -> None:
    """Raises AppError INVALID (field ``words``, where rules keep them) unless all are domain names.

    International names are accepted in either form; a name without a dot stands for all below it ("zip").
    """
    _vet_count(domains, "Give at least one domain.", f"At most {MAX_WORDS:,} domains.")
    for domain in domains:
        if not _is_domain(domain):
            raise _refused("words", f"“{_short(domain)}” is not a domain. Write it like example.org.")


_TOO_LARGE = "The pattern is too large. Repeat less, or use smaller sets of characters."


def _vet_count(entries: Sequence[str], none: str, too_many: str) -> None:
    if not entries:
        raise _refused("words", none)
    if len(entries) > MAX_WORDS:
        raise _refused("words", too_many)


def _why_not(error: re2.error) -> str:
    (reason,) = error.args or ("",)
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return _TOO_LARGE if "too large" in text else f"The pattern cannot be used: {text}."


def _is_domain(domain: str) -> bool:
    if not domain.isprintable() or len(domain) > MAX_HOST_CHARS or re.search(r"[\s:%/@]|^\.", domain):
        return False
    host = canonical_host(domain)
    return bool(host) and all(_LABEL.fullmatch(label) for label in host.split("."))


def _short(entry: str) -> str:
    shown = entry if len(entry) <= _MAX_SHOWN_CHARS else f"{entry[:_MAX_SHOWN_CHARS]}…"
    return shown.encode("utf-8", "replace").decode()


def _refused(field: str, message: str) -> AppError:
    return AppError(Code.INVALID, message, fields={field: [message]})
