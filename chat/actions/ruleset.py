"""The live rules of automod as this process has compiled them, and the version that they are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from chat import access
from chat.actions.authors import Author
from chat.models import AutomodRule, Room, RuleAction, Ruleset
from chat.text import automod
from chatproject.errors import AppError, Code

# So many earlier messages of an author are looked at: no flood or repetition asks for more.
MAX_EARLIER = 200
_BLOCKS = {RuleAction.HOLD, RuleAction.MUTE, RuleAction.HIDE}


@dataclass(frozen=True, slots=True)
class LiveRules:
    """The rules of one version, compiled."""

    compiled: automod.Ruleset
    by_id: dict[int, AutomodRule]


_cached: LiveRules | None = None
_lock = Lock()


def live_rules() -> LiveRules:
    """The rules as this process knows them; nothing is asked of the database but the first time."""
    return _cached or reload_rules()


def reload_rules() -> LiveRules:
    """Reads and compiles the rules again. Two statements."""
    global _cached
    with _lock:
        # Version first: rules that are newer than it are found stale, never the other way round.
        version = current_version()
        rules = list(AutomodRule.objects.filter(live=True))
        compiled = compile_rules(rules, version)
        _cached = LiveRules(compiled, {rule.pk: rule for rule in rules})
        return _cached


def current_version() -> int:
    """The version in force."""
    return Ruleset.objects.values_list("version", flat=True).first() or 0


def compile_rules(rules: Sequence[AutomodRule], version: int = 0) -> automod.Ruleset:
    """``rules`` as the engine reads them."""
    return automod.Ruleset(
        [
            automod.Rule(
                id=rule.pk or 0,
                kind=rule.kind,
                room_id=rule.room_id,
                words=words_of(rule),
                pattern=rule.pattern,
                threshold=rule.threshold,
                seconds=rule.seconds,
            )
            for rule in rules
        ],
        version,
    )


def check_edit(author: Author, room: Room, body: str) -> None:
    """Raises AppError BLOCKED_CONTENT where a rule would have held or hidden the new text."""
    rules = live_rules()
    if current_version() != rules.compiled.version:
        rules = reload_rules()
    matched = rules.compiled.screen(body, room_id=room.pk).matched
    blocking = [rules.by_id[number] for number in matched if rules.by_id[number].action in _BLOCKS]
    if blocking and not access.may_moderate_messages(author.standing):
        raise AppError(Code.BLOCKED_CONTENT)


def words_of(rule: AutomodRule) -> tuple[str, ...]:
    """The words, phrases or domains of a rule."""
    return tuple(line.strip() for line in rule.words.splitlines() if line.strip())
