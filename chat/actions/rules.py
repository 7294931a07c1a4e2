"""Writing automod rules: every change of a live one is in force with the next message."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F

from accounts.models import User
from chat import access, audit
from chat.actions.changing import check_unchanged, checked
from chat.actions.ruleset import MAX_EARLIER, words_of
from chat.audit import Deed, Why
from chat.models import AutomodRule, ModerationAction, RuleKind, Ruleset
from chat.standing import staff_may
from chat.text.vetting import vet_domains, vet_pattern, vet_words
from chatproject.database import clock
from chatproject.errors import AppError, Code
from chatproject.lines import clean_line

SAVED = "rule.saved"
# Heavy patterns in one RE2 set are slow together: 500 of them cost a message milliseconds.
MAX_LIVE_PATTERNS = 200


@dataclass(frozen=True, slots=True)
class RuleFields:
    """Everything that a rule says."""

    name: str
    kind: str
    action: str
    room_id: int | None = None
    words: str = ""
    pattern: str = ""
    threshold: int = 0
    seconds: int = 0
    mute_minutes: int = 10
    live: bool = False
    removed: bool = False


def save_rule(actor: User, rule_id: int | None, wanted: RuleFields, *, why: Why | None = None) -> AutomodRule:
    """Makes or changes a rule. Raises AppError INVALID with ``fields`` for one that cannot work."""
    reason = checked(why)
    wanted = replace(wanted, name=clean_line(wanted.name, field="name"))
    with transaction.atomic():
        rule = _locked(actor, rule_id)
        # Before it was made, a rule was the same and not there.
        before = _state_of(rule) if rule.pk else {**asdict(wanted), "live": False, "removed": True}
        if before == asdict(wanted):
            return rule
        _put(rule, wanted)
        after = _state_of(rule)
        if rule_id is None:
            rule.created_by = actor
            rule.save(update_fields=["created_by"])
        deed = Deed(SAVED, f"rule:{rule.pk}", room_id=rule.room_id, before=before, after=after)
        audit.record(actor, deed, reason)
    return rule


def put_rule(actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]) -> None:
    """Gives back what a rule said; see ``chat.actions.changing``."""
    rule = _locked(actor, int(action.target.partition(":")[2]))
    check_unchanged(_state_of(rule), expected)
    _put(rule, RuleFields(**wanted))


def check_rule(rule: AutomodRule) -> None:
    """Whether a rule can work. Raises AppError INVALID."""
    try:
        rule.full_clean(exclude=["created_by"])
    except ValidationError as error:
        raise AppError(Code.INVALID, fields=error.message_dict) from error
    words = words_of(rule)
    if rule.kind == RuleKind.WORDS:
        vet_words(words)
    elif rule.kind in {RuleKind.LINKS_DENIED, RuleKind.LINKS_ALLOWED}:
        vet_domains(words)
    elif rule.kind == RuleKind.PATTERN:
        vet_pattern(rule.pattern)
    elif rule.threshold < _LEAST.get(rule.kind, 1):
        raise AppError(Code.INVALID, fields={"threshold": ["Give a number of at least 1."]})
    if rule.kind not in {RuleKind.REPETITION, RuleKind.FLOOD}:
        return
    if not 1 <= rule.seconds <= MAX_SECONDS:
        raise AppError(Code.INVALID, fields={"seconds": [f"Give 1 to {MAX_SECONDS} seconds."]})
    if rule.threshold >= MAX_EARLIER:
        raise AppError(Code.INVALID, fields={"threshold": [f"Give a number below {MAX_EARLIER}."]})


MAX_SECONDS = 24 * 60 * 60
# "More than none" makes sense of these: any mention, any emoji, the first time that a text comes again.
_LEAST: dict[str, int] = {RuleKind.MENTIONS: 0, RuleKind.EMOJI: 0, RuleKind.REPETITION: 0}


def _locked(actor: User, rule_id: int | None) -> AutomodRule:
    if not staff_may(actor, access.AUTOMOD):
        raise AppError(Code.FORBIDDEN)
    if rule_id is None:
        return AutomodRule()
    rule = AutomodRule.objects.select_for_update(no_key=True).filter(pk=rule_id).first()
    if rule is None:
        raise AppError(Code.NOT_FOUND)
    return rule


def _state_of(rule: AutomodRule) -> dict[str, Any]:
    names = [name for name in RuleFields.__slots__ if name != "removed"]
    return {name: getattr(rule, name) for name in names} | {"removed": rule.removed_at is not None}


def _put(rule: AutomodRule, wanted: RuleFields) -> None:
    was_live = rule.live
    for name in RuleFields.__slots__:
        if name != "removed":
            setattr(rule, name, getattr(wanted, name))
    rule.live = wanted.live and not wanted.removed
    rule.removed_at = (rule.removed_at or clock()) if wanted.removed else None
    check_rule(rule)
    rule.save()
    if was_live or rule.live:
        Ruleset.objects.get_or_create(pk=1)
        Ruleset.objects.filter(pk=1).update(version=F("version") + 1)
    if rule.live and rule.kind == RuleKind.PATTERN:
        _check_patterns(rule.room_id)


def _check_patterns(room_id: int | None) -> None:
    """After a change, under the lock of the ruleset's row: whether each room's patterns are few enough."""
    live = AutomodRule.objects.filter(live=True, kind=RuleKind.PATTERN)
    by_room = dict(live.order_by().values_list("room_id").annotate(count=Count("pk")))
    everywhere = by_room.pop(None, 0)
    own = by_room.get(room_id, 0) if room_id is not None else max(by_room.values(), default=0)
    if everywhere + own > MAX_LIVE_PATTERNS:
        words = f"At most {MAX_LIVE_PATTERNS} patterns are live in one room. Let another rest first."
        raise AppError(Code.INVALID, words, fields={"live": [words]})
