"""Automod at work: which live rules a message matches, and what follows for it and its author.

Every batch of sends compares the version of its rules under the room's lock; where another is in force, the
batch is rolled back and screened again.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Func, IntegerField, OuterRef

from accounts.models import User
from chat import access, audit
from chat.actions.authors import Author
from chat.actions.messages import DELETED, deletion_deed
from chat.actions.reports import report_by_rule
from chat.actions.ruleset import MAX_EARLIER, LiveRules
from chat.actions.sanctions import impose
from chat.actions.scene import Scene
from chat.audit import Why
from chat.models import (
    AutomodHit,
    AutomodRule,
    Category,
    HeldMessage,
    Message,
    Room,
    RuleAction,
    SanctionKind,
)
from chat.standing import Restriction
from chat.text import automod
from chat.text.automod import Earlier, Findings

_HOLDS = {RuleAction.HOLD, RuleAction.MUTE}


class StaleRules(Exception):
    """The rules that a text was screened with are no longer those in force."""


@dataclass(slots=True)
class Verdict:
    """What the rules say to one message; empty where none matched."""

    rules: list[AutomodRule] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return any(rule.action in _HOLDS for rule in self.rules)

    @property
    def hides(self) -> bool:
        return any(rule.action == RuleAction.HIDE for rule in self.rules)

    @property
    def rule(self) -> AutomodRule:
        """The strictest one."""
        return min(self.rules, key=lambda rule: RuleAction.values.index(rule.action))


class Screening:
    """The rules and one batch in one locked room."""

    def __init__(self, rules: LiveRules, room: Room, authors: Collection[Author]) -> None:
        self._rules = rules
        self._room = room
        self._earlier: dict[int, list[tuple[datetime, bytes]]] = {}
        self._posts: dict[int, int] = {}
        self._hits: list[tuple[Verdict, Author, Message | HeldMessage]] = []
        if any(author.rules_version != rules.compiled.version for author in authors):
            raise StaleRules
        self._recall([author.user for author in authors])

    def judge(self, author: Author, findings: Findings) -> Verdict:
        """What the rules say; they do not bind those who moderate."""
        earlier = self._earlier.get(author.user.pk, [])
        matched = self._rules.compiled.with_history(
            findings,
            room_id=self._room.pk,
            earlier=[Earlier((author.now - at).total_seconds(), digest) for at, digest in earlier],
            posts_before=self._posts.get(author.user.pk, 0),
        )
        self._earlier.setdefault(author.user.pk, []).append((author.now, findings.digest))
        self._posts[author.user.pk] = self._posts.get(author.user.pk, 0) + 1
        if not matched or access.may_moderate_messages(author.standing):
            return Verdict()
        return Verdict([self._rules.by_id[number] for number in matched])

    def placed(self, verdict: Verdict, author: Author, message: Message | HeldMessage) -> None:
        """A message of ``author`` has its place; what else the rules want waits for ``follow_up``."""
        if not verdict.rules:
            return
        self._hits.append((verdict, author, message))
        minutes = _mute_minutes(verdict)
        if minutes:
            ends_at = author.now + timedelta(minutes=minutes)
            why = _why(verdict)
            author.mute = Restriction(SanctionKind.MUTE, False, why.category, why.text, ends_at, author.now)

    def follow_up(self) -> None:
        """Hits, and what the rules do beside holding: after the rows of the messages are there."""
        if not self._hits:
            return
        AutomodHit.objects.bulk_create(
            [
                AutomodHit(
                    rule=rule,
                    room=self._room,
                    author=author.user,
                    message=message if isinstance(message, Message) else None,
                    held=message if isinstance(message, HeldMessage) else None,
                    action=rule.action,
                    created_at=author.now,
                )
                for verdict, author, message in self._hits
                for rule in verdict.rules
            ]
        )
        for verdict, author, message in self._hits:
            self._act(verdict, author, message)

    def _act(self, verdict: Verdict, author: Author, message: Message | HeldMessage) -> None:
        scene = Scene(None, author.user, self._room, author.now)
        minutes = _mute_minutes(verdict)
        if minutes:
            until = author.now + timedelta(minutes=minutes)
            impose(scene, kind=SanctionKind.MUTE, why=_why(verdict), until=until)
        elif any(rule.action == RuleAction.WARN for rule in verdict.rules):
            impose(scene, kind=SanctionKind.WARN, why=_why(verdict), until=None)
        if not isinstance(message, Message):
            return
        if message.deleted_at is not None:
            before = {"deleted_at": None, "deleted_by": None}
            audit.record(None, deletion_deed(DELETED, message, before), _why(verdict))
        for rule in verdict.rules:
            if rule.action == RuleAction.REPORT:
                report_by_rule(message, rule.pk)

    def _recall(self, users: list[User]) -> None:
        """What the authors have written here before, where a rule asks for it; at most three statements."""
        compiled, room_id = self._rules.compiled, self._room.pk
        if seconds := compiled.needs_history(room_id):
            since = timedelta(seconds=seconds)
            self._recall_texts(users, since)
        if first := compiled.needs_first(room_id):
            own = Message.objects.filter(room=self._room, author=OuterRef("pk")).values("pk")[:first]
            counted = User.objects.filter(pk__in=[user.pk for user in users]).annotate(
                posts=Func(ArraySubquery(own), function="cardinality", output_field=IntegerField())
            )
            self._posts = dict(counted.values_list("pk", "posts"))

    def _recall_texts(self, users: list[User], since: timedelta) -> None:
        """So many of each author, whatever the others have written and however much the room holds."""
        if not users:
            return
        first = max(map(author_now, users)) - since
        with connection.cursor() as cursor:
            cursor.execute(_EARLIER_SQL, [[user.pk for user in users], self._room.pk, MAX_EARLIER, first])
            found = cursor.fetchall()
        waiting = HeldMessage.objects.filter(
            room=self._room, author__in=users, created_at__gte=first, message__isnull=True
        )
        found += waiting.values_list("author_id", "created_at", "body")
        for author_id, at, body in found:
            self._earlier.setdefault(author_id, []).append((at, automod.digest(body)))


# The limit comes first, by the index of authors in rooms. With the time inside, the planner would rather walk
# through the whole room.
_EARLIER_SQL = """
    SELECT u.id, m.created_at, m.body
      FROM unnest(%s::bigint[]) AS u(id)
     CROSS JOIN LATERAL (
           SELECT created_at, body FROM chat_message
            WHERE room_id = %s AND author_id = u.id ORDER BY seq DESC LIMIT %s) m
     WHERE m.created_at >= %s
"""


def author_now(user: User) -> datetime:
    """The database's clock of the statement that has read ``user``."""
    now: datetime = user.__dict__["now"]
    return now


def _mute_minutes(verdict: Verdict) -> int:
    return max((rule.mute_minutes for rule in verdict.rules if rule.action == RuleAction.MUTE), default=0)


def _why(verdict: Verdict) -> Why:
    return Why(Category.OTHER, f"Automatic: {verdict.rule.name}")
