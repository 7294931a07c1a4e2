"""Screening of messages by rules: pure text, no models, no database.

A ``Ruleset`` is compiled once and then screens every message: one automaton for the words of all rules, an
RE2 set for the patterns of all rooms and one for those of each room. ``with_history`` decides what depends on
what the author wrote before. What a rule may hold is vetted in ``chat.text.vetting``.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from chat.text.folding import Folded, fold
from chat.text.links import Hosts, canonical_host, find_hosts, with_parents
from chat.text.matching import PatternSet, WordSet

Kind = Literal[
    "words",
    "pattern",
    "links_denied",
    "links_allowed",
    "first_links",
    "mentions",
    "emoji",
    "repetition",
    "flood",
]

_MENTION = re.compile(r"(?<![\w@./])@\w")
# UTS 51: flags, keycaps, and pictures with what is joined to them. One person's family is one emoji.
_PICTURE = (
    "(?:[\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201-\U0001f265\U0001f300-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0\U0001f900-\U0001f9ff\U0001fa70-\U0001faff"
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
    "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c"
    "\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]\ufe0f?"
    "|[\u00a9\u00ae\u203c\u2049\u2122-\u3299\U0001f000-\U0001faff]\ufe0f)"
    "[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d(?:{_PICTURE}|[\u2190-\u2bff]))*"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as the engine reads it. ``room_id`` None: of every room.

    - ``words``: one of ``words`` occurs as a whole word, however it is disguised (``chat.text.folding``);
      an entry may be a phrase, and one that ends in ``*`` is the beginning of a word.
    - ``pattern``: the RE2 ``pattern`` occurs in the text as written (NFKC), in capitals or not.
    - ``links_denied``: a domain of ``words``, or one below it, is linked or named.
    - ``links_allowed``: a link to any domain that is neither in ``words`` nor below one of them.
    - ``first_links``: any link in one of the author's first ``threshold`` messages in the room.
    - ``mentions``, ``emoji``: more than ``threshold`` of them in the message.
    - ``repetition``: over ``threshold`` of the author's messages in the last ``seconds`` looked the same.
    - ``flood``: more than ``threshold`` messages by the author in the last ``seconds``, with this one.
    """

    id: int
    kind: str
    room_id: int | None
    words: tuple[str, ...] = ()
    pattern: str = ""
    threshold: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What one message alone tells: ``matched`` are ids of rules, ascending.

    The rest is for ``with_history``: ``has_links`` is only looked for where some rule is about links.
    """

    matched: tuple[int, ...]
    digest: bytes
    has_links: bool


class Earlier(NamedTuple):
    """An earlier message of the same author in the same room."""

    age_seconds: float
    digest: bytes


def digest(body: str) -> bytes:
    """Sixteen bytes, the same for bodies that look the same: case, punctuation and spaces do not count."""
    return _digest_of(fold(body), body)


class Ruleset:
    """All rules of a place, compiled. Immutable, so threads may share it.

    ``version`` is the caller's, to tell whether it is still the newest. ``unusable`` are the ids of rules
    that cannot be compiled (saved before they were vetted): they match nothing and break nothing.
    """

    def __init__(self, rules: Iterable[Rule], version: int = 0) -> None:
        self.version = version
        self._by_kind: dict[tuple[str, int | None], list[Rule]] = {}
        self._room_of: dict[int, int | None] = {}
        for rule in sorted(rules, key=lambda rule: rule.id):
            self._by_kind.setdefault((rule.kind, rule.room_id), []).append(rule)
            self._room_of[rule.id] = rule.room_id
        self._words = WordSet((rule.id, rule.words) for rule in self._all("words"))
        # Apart, so that what one room's patterns cost is not paid by the others.
        self._patterns = {
            room_id: PatternSet((rule.id, rule.pattern) for rule in rules)
            for (kind, room_id), rules in self._by_kind.items()
            if kind == "pattern"
        }
        self._denied = _by_domain(self._all("links_denied"))
        self._allowed = {rule.id: frozenset(_by_domain([rule])) for rule in self._all("links_allowed")}
        self._needs_links = bool(self._denied or self._allowed or any(self._all("first_links")))
        self.unusable = tuple(sorted(id for one in self._patterns.values() for id in one.unusable))

    def screen(self, body: str, *, room_id: int) -> Findings:
        """What ``body`` matches in the room by itself. Linear in its length. Never raises."""
        folded = fold(body)
        found = self._words.find(folded) | self._find_patterns(body, room_id)
        hosts = find_hosts(body) if self._needs_links else Hosts()
        found |= self._find_denied(hosts)
        found = {id for id in found if self._room_of[id] is None or self._room_of[id] == room_id}
        found |= self._find_counted(body, hosts, room_id)
        return Findings(tuple(sorted(found)), _digest_of(folded, body), bool(hosts.linked))

    def needs_history(self, room_id: int) -> int:
        """For how many seconds back ``with_history`` wants the author's messages in this room; 0: none."""
        return max((rule.seconds for rule in self._of("repetition", "flood", room_id=room_id)), default=0)

    def needs_first(self, room_id: int) -> int:
        """Up to which number the author's messages in this room must be counted; 0: not at all."""
        return max((rule.threshold for rule in self._of("first_links", room_id=room_id)), default=0)

    def with_history(
        self, findings: Findings, *, room_id: int, earlier: Sequence[Earlier], posts_before: int
    ) -> list[int]:
        """The ids of all rules that match, ascending, those of ``findings`` included.

        ``earlier`` are the author's messages in this room of the last ``needs_history`` seconds, without
        this one, in any order. ``posts_before`` is how many there ever were; a count that stops at
        ``needs_first`` is enough.
        """
        found = set(findings.matched)
        for rule in self._of("first_links", room_id=room_id):
            if findings.has_links and posts_before < rule.threshold:
                found.add(rule.id)
        for rule in self._of("repetition", "flood", room_id=room_id):
            recent = [then for then in earlier if then.age_seconds <= rule.seconds]
            same = sum(then.digest == findings.digest for then in recent)
            if (same if rule.kind == "repetition" else len(recent) + 1) > rule.threshold:
                found.add(rule.id)
        return sorted(found)

    def _all(self, kind: Kind) -> list[Rule]:
        return [rule for (of, _), rules in self._by_kind.items() if of == kind for rule in rules]

    def _of(self, *kinds: Kind, room_id: int) -> Iterator[Rule]:
        for kind in kinds:
            yield from self._by_kind.get((kind, None), ())
            yield from self._by_kind.get((kind, room_id), ())

    def _find_patterns(self, body: str, room_id: int) -> set[int]:
        sets = [self._patterns[of] for of in (None, room_id) if of in self._patterns]
        # NFKC: as written, but full width and styled letters are the letters they stand for.
        text = unicodedata.normalize("NFKC", body).encode("utf-8", "replace") if sets else b""
        return set().union(*(one.find(text) for one in sets))

    def _find_denied(self, hosts: Hosts) -> set[int]:
        found: set[int] = set()
        if self._denied:
            for host in hosts.named:
                for domain in with_parents(host):
                    found |= self._denied.get(domain, frozenset())
        return found

    def _find_counted(self, body: str, hosts: Hosts, room_id: int) -> set[int]:
        counts: dict[str, int] = {}
        found = set()
        for rule in self._of("mentions", "emoji", room_id=room_id):
            if rule.kind not in counts:
                counts[rule.kind] = _count_emoji(body) if rule.kind == "emoji" else _count_mentions(body)
            if counts[rule.kind] > rule.threshold:
                found.add(rule.id)
        if hosts.linked:
            for rule in self._of("links_allowed", room_id=room_id):
                allowed = self._allowed[rule.id]
                if not all(any(map(allowed.__contains__, with_parents(host))) for host in hosts.linked):
                    found.add(rule.id)
        return found


def _by_domain(rules: Iterable[Rule]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for rule in rules:
        for domain in map(canonical_host, rule.words):
            found[domain] = found.get(domain, frozenset()) | {rule.id}
    return found


def _count_mentions(body: str) -> int:
    return len(_MENTION.findall(body)) if "@" in body else 0


def _count_emoji(body: str) -> int:
    return 0 if body.isascii() else sum(1 for _ in _EMOJI.finditer(body))


def _digest_of(folded: Folded, body: str) -> bytes:
    seen = folded.words.replace(" ", "") or "".join(body.split())
    return hashlib.blake2b(seen.encode("utf-8", "replace"), digest_size=16).digest()
