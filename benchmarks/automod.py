"""``python -m benchmarks.automod``: what screening a message costs at 500 rules, in CPU time of its thread.

Needs no services. Rules and messages are made from one seed. Most messages match nothing, as in a calm room.
"""

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measure import percentile
from chat.text.automod import Rule, Ruleset, digest

SEED = 7
MESSAGES = 10_000
WARM_UP = 2_000
ROOM = 1
BAR_MICROSECONDS = 200

_SYLLABLES = (
    "an ba ber cha con da den dor el en far fi ga gen har hi in ja ka kel la len lo ma mer mi na ner no or "
    "pa per qui ra ren ri sa ser sho ta ten ti un va ver vi wa wen ya zo"
)
_ENGLISH = (
    "the a to and of it is that I you in we for on this with be not have are at was but can so just what if "
    "do they there my about now will when from one here think like know would time see how good then has fix "
    "build test deploy page room later tomorrow meeting please thanks maybe don't it's really works today"
)
_RUSSIAN = (
    "и в не на что я это как мы но уже всё там если есть был завтра сегодня надо можно спасибо хорошо "
    "работает сейчас потом только страница сообщение комната"
)
_ACCENTED = (
    "déjà très bien où après été même ça voilà für schön müssen über Grüße größer naïve señor mañana está "
    "canción jalapeño œuvre"
)
_ENDS = (". ", ". ", ", ", "? ", "! ", " 🙂 ", " (see above) ", " — ", ": ")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.automod", description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N")
    options = parser.parse_args(arguments)
    chance = random.Random(SEED)
    began = time.process_time()
    rules = Ruleset(_rules(chance))
    print(f"500 rules compiled in {time.process_time() - began:.2f} s")
    for _ in range(WARM_UP):
        rules.screen(_message(chance), room_id=ROOM)
    bodies = [_message(chance) for _ in range(options.messages)]
    median = _measure("screen", lambda body: rules.screen(body, room_id=ROOM), bodies)
    _measure("digest", digest, bodies)
    lengths = sorted(map(len, bodies))
    matched = sum(bool(rules.screen(body, room_id=ROOM).matched) for body in bodies)
    print(f"{len(bodies)} messages of {lengths[0]} to {lengths[-1]} characters, {matched} of them match")
    print(f"bar: {BAR_MICROSECONDS} µs, {'reached' if median <= BAR_MICROSECONDS else 'missed'}")
    return 0 if median <= BAR_MICROSECONDS else 1


def _rules(chance: random.Random) -> list[Rule]:
    """300 lists of 20 words, 150 patterns, 50 others; some for all rooms, some for the measured one."""

    def rule(kind: str, **fields: Any) -> Rule:
        return Rule(next(ids), kind, chance.choice([None, ROOM, 2, 3, 4]), **fields)

    ids = itertools.count(1)
    rules = [rule("words", words=tuple(_word(chance) for _ in range(20))) for _ in range(300)]
    rules += [rule("pattern", pattern=_pattern(chance, number)) for number in range(150)]
    for _ in range(30):
        rules.append(rule("links_denied", words=tuple(f"{_word(chance)}.example" for _ in range(20))))
    for _ in range(5):
        rules += [
            rule("emoji", threshold=10),
            rule("mentions", threshold=8),
            rule("first_links", threshold=3),
        ]
        rules.append(rule("repetition", threshold=3, seconds=60))
    return rules


def _word(chance: random.Random) -> str:
    word = "".join(chance.choices(_SYLLABLES.split(), k=3)) + chance.choice("xzqk")
    return chance.choice([word, word, word, f"{word}*", f"{word} {chance.choice(_SYLLABLES.split())}"])


def _pattern(chance: random.Random, number: int) -> str:
    one, two = _word(chance).strip("*"), _word(chance).strip("*")
    forms = (
        rf"{one}\s+{two}", rf"\b{one}\w*", rf"(?:{one}|{two})[0-9]{{2,}}", rf"{one}.{{0,20}}{two}",
        rf"[{one[0]}{two[0]}]\W?{one[1:]}", rf"\b\d{{3}}-{number:04}\b", rf"t\.me/{one}",
    )  # fmt: skip
    return forms[number % len(forms)]


def _message(chance: random.Random) -> str:
    words = chance.choices([_ENGLISH, f"{_ENGLISH} {_ACCENTED}", _RUSSIAN], [7, 2, 1])[0].split()
    length = chance.randint(20, 400)
    text = ""
    while len(text) < length:
        some = chance.choices(words, k=chance.randint(3, 9))
        text += " ".join([some[0].capitalize(), *some[1:]]) + chance.choice(_ENDS)
        if chance.random() < 0.1:
            text += chance.choice(["https://example.org/a/b?c=1 ", "@alice ", "`x = 1` ", "at 10:30 ", "v2 "])
    return text[:length].strip()


def _measure(name: str, run: Callable[[str], object], bodies: Sequence[str]) -> float:
    """Prints CPU microseconds a message, each seen for the first time; returns the median."""
    costs = []
    for body in bodies:
        began = time.thread_time_ns()
        run(body)
        costs.append((time.thread_time_ns() - began) / 1000)
    median = statistics.median(costs)
    print(
        f"{name}: median {median:.0f} µs, mean {statistics.fmean(costs):.0f}, "
        f"99 % {percentile(costs, 0.99):.0f}, longest {max(costs):.0f}"
    )
    return median


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
