"""Rules of automod at a desk, and messages that meet them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accounts.models import User
from chat.actions.drafts import Draft, Outcome
from chat.actions.posting import post_messages
from chat.actions.rules import RuleFields, save_rule
from chat.actions.ruleset import reload_rules
from chat.models import AutomodRule, RuleAction, RuleKind
from chatproject.errors import AppError
from tests.desk import Desk, desk


@contextmanager
def ruled_desk() -> Iterator[Desk]:
    """A desk whose rules end with the test: others share the database and what this process has compiled."""
    made = desk()
    try:
        yield made
    finally:
        for each in AutomodRule.objects.filter(created_by=made.maude, live=True):
            values = {name: getattr(each, name) for name in RuleFields.__slots__ if name != "removed"}
            save_rule(made.maude, each.pk, RuleFields(**{**values, "live": False}, removed=True))
        reload_rules()


def rule(people: Desk, kind: str = RuleKind.WORDS, action: str = RuleAction.HOLD, **more: Any) -> AutomodRule:
    """A live rule of the desk's room; one of words is about xyzzy."""
    fields = {"room_id": people.room.pk, "live": True, "words": "xyzzy" if kind == RuleKind.WORDS else ""}
    return save_rule(people.maude, None, RuleFields("Rule", kind, action, **{**fields, **more}))


def send(people: Desk, *bodies: str, user: User | None = None) -> list[Outcome]:
    """Sends ``bodies`` in one batch."""
    return post_messages(people.room.pk, [Draft(user or people.bob, uuid.uuid4(), body) for body in bodies])


def short(outcomes: list[Outcome]) -> list[str]:
    return [str(each.code) if isinstance(each, AppError) else type(each).__name__ for each in outcomes]
