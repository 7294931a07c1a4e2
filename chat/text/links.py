"""The hosts that a text links to or names, as a browser would understand them.

More counts as a link here than the renderer makes one: what it shows as text today, a client of somebody
else's may show as a link.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from linkify_it import LinkifyIt

MAX_HOST_CHARS = 253

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MAYBE = re.compile(r"\S\.[^\s.]|//|https?:", re.IGNORECASE)
# Browsers take one slash, none or backslashes after http: as two slashes, and read users before "@".
_WITH_SLASHES = re.compile(r"(https?:[/\\]*|(?<![/\\])[/\\]{2,})([^\s/?#\\]+)", re.IGNORECASE)
# What ends an address in plain text. "[" may begin one: IPv6.
_END = re.compile(r"[!-$&-,;-?^`{-~\]\u2018-\u201f\u2026\u3001-\u3011]|(?<=.)\[|\.\.")
# Letters of any script with their marks: everything but ASCII signs, spaces, quotes and brackets.
_LABEL_CHAR = r"[^\x00-,./:-@\[-^`{-\x9f\s\u2010-\u2027\u3001-\u3011]"
_BARE = re.compile(
    rf"(?<!{_LABEL_CHAR})(?<![.@:/\\])((?:{_LABEL_CHAR}{{1,63}}\.)+{_LABEL_CHAR}*[^\W\d_]{_LABEL_CHAR}*)\.?(/?)"
)
# The renderer's own list: "evil.com" is a link, "e.g" and "well.Then" are not.
_TOP = re.compile(LinkifyIt().re["src_tlds"], re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts in their canonical form: ``linked`` as links, ``named`` these and every other dotted name."""

    linked: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


NONE = Hosts()


def find_hosts(text: str) -> Hosts:
    """The hosts of all web links in ``text``: addresses, Markdown links and bare domains.

    Linked are ``http(s)://…``, ``//…``, ``www.…``, a domain with a path, and a bare domain whose end the
    renderer knows. Mail addresses are not. Time is linear in the text. Never raises.
    """
    text = _as_shown(text)
    return _find(text) if _MAYBE.search(text) else NONE


def canonical_host(host: str) -> str:
    """``host`` to compare with: NFKC, small letters, Unicode instead of punycode, no port or dots around.

    Empty when nothing is left. Lookalikes stay apart: they are other hosts.
    """
    host = unquote(host) if "%" in host else host
    host = unicodedata.normalize("NFKC", _UNSEEN.sub("", host)).lower().replace("\u3002", ".")
    host = re.sub(r":\d*$", "", host).strip(".")[-MAX_HOST_CHARS:]
    if "xn--" in host:
        host = ".".join(_from_punycode(label) for label in host.split("."))
    return host


def with_parents(host: str) -> list[str]:
    """A canonical ``host`` and the domains above it: a.b.c, b.c, c."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _as_shown(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).replace("\u3002", ".")
    return text


def _find(text: str) -> Hosts:
    linked, named = set(), set()
    for start, authority in _WITH_SLASHES.findall(text):
        hosts = {canonical_host(host) for host in _authorities(authority)}
        is_web = start[0] in "hH"
        linked |= {host for host in hosts if host and (is_web or "." in host)}
    for name, slash in _BARE.findall(text):
        host = canonical_host(name)
        named.add(host)
        top = name.rpartition(".")[2]
        if (slash and len(top) > 1) or host.startswith("www.") or _TOP.fullmatch(top):
            linked.add(host)
    return Hosts(frozenset(linked), frozenset(named | linked))


def _authorities(text: str) -> list[str]:
    """The hosts that ``text``, which follows the slashes, may stand for.

    A bracket or quote ends an address in plain text, but in a Markdown link it can be part of a user:
    both readings count then.
    """
    first = _END.split(text, maxsplit=1)[0]
    found = [first.rpartition("@")[2]]
    if len(first) < len(text) and "@" in text[len(first) :]:
        hidden = _END.split(text.rpartition("@")[2], maxsplit=1)[0]
        found += [hidden] if "." in hidden else []
    return found


def _from_punycode(label: str) -> str:
    if not label.startswith("xn--") or len(label) > 63:
        return label
    try:
        return unicodedata.normalize("NFKC", label[4:].encode("ascii").decode("punycode")).lower()
    except (ValueError, OverflowError):
        return label
