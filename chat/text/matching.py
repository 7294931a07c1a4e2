"""Many words, and many patterns, looked for in one pass over a text. For ``chat.text.automod``."""

from collections.abc import Iterable

import ahocorasick
import re2

from chat.text.folding import Folded, fold_entry

# Shorter words occur by chance in letters that stand apart: initials, lists.
_MIN_SPACED_LETTERS = 3
# For one set of patterns with what it learns from texts. RE2 forgets it all when this is full.
_PATTERN_SET_BYTES = 32 << 20


class WordSet:
    """The words of many rules in one automaton (Aho-Corasick).

    Keys hold the spaces around a word, so a hit is a whole word, or the beginning of one, without a look
    at what stands beside it. Every word is also there with its letters apart, as in " b a d ".
    """

    def __init__(self, rules: Iterable[tuple[int, Iterable[str]]]) -> None:
        ids_by_key: dict[str, set[int]] = {}
        for rule_id, words in rules:
            for word in words:
                for key in _keys(word):
                    ids_by_key.setdefault(key, set()).add(rule_id)
        self._automaton = ahocorasick.Automaton()
        for key, ids in ids_by_key.items():
            self._automaton.add_word(key, frozenset(ids))
        self._automaton.make_automaton()
        self._is_empty = not ids_by_key

    def find(self, folded: Folded) -> set[int]:
        """The ids of all rules of which a word occurs."""
        found: set[int] = set()
        if not self._is_empty:
            for words in (folded.words, *folded.readings):
                for _, ids in self._automaton.iter(words):
                    found |= ids
        return found


def _keys(word: str) -> list[str]:
    entry = fold_entry(word)
    if not entry.strip():
        return []
    letters = entry.replace(" ", "")
    keys = [entry.rstrip() if word.rstrip().endswith("*") else entry]
    if len(letters) >= _MIN_SPACED_LETTERS:
        keys.append(f" {' '.join(letters)} ")
    return keys


class PatternSet:
    """The patterns of several rules in one RE2 set. ``unusable`` are the ids of those that do not compile.

    RE2 answers "nothing matches" when a set has too little memory to work in. The empty pattern, which always
    matches, tells that from the truth; then the patterns are tried one by one, which RE2 can always do.
    """

    def __init__(self, rules: Iterable[tuple[int, str]]) -> None:
        self._rules: list[tuple[int, re2._Regexp]] = []
        self.unusable: list[int] = []
        for rule_id, pattern in rules:
            try:
                self._rules.append((rule_id, re2.compile(pattern, pattern_options())))
            except (re2.error, UnicodeEncodeError):
                self.unusable.append(rule_id)
        self._set = self._compiled()

    def find(self, text: bytes) -> set[int]:
        """The ids of all rules whose pattern occurs in ``text`` (UTF-8)."""
        hits = self._set.Match(text) if self._set else None
        if hits is None:
            return {rule_id for rule_id, regexp in self._rules if regexp.search(text)}
        return {self._rules[hit - 1][0] for hit in hits if hit}

    def _compiled(self) -> re2.Set | None:
        options = pattern_options()
        options.max_mem = _PATTERN_SET_BYTES
        patterns = re2.Set.SearchSet(options)
        try:
            for pattern in ("", *(regexp.pattern for _, regexp in self._rules)):
                patterns.Add(pattern)
            patterns.Compile()
        except re2.error:
            return None
        return patterns


def pattern_options() -> re2.Options:
    """How every pattern is compiled: capitals or not, and nothing on stderr."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
