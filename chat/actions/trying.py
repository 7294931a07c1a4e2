"""Trying a rule of automod on what was written lately, before it goes live. Nothing is changed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet

from accounts.models import User
from chat import access
from chat.actions.rules import RuleFields, check_rule
from chat.actions.ruleset import MAX_EARLIER, compile_rules
from chat.models import AutomodRule, Membership, Message, Role, RoomKind
from chat.standing import staff_may
from chat.text import automod
from chat.text.automod import Earlier
from chatproject.errors import AppError, Code

LAST = 1000
# The author and room of a message: what a rule remembers is about these two.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have matched, the newest first, among the last ``looked_at`` messages."""

    looked_at: int
    matched: list[Message]

    @property
    def is_too_wide(self) -> bool:
        """Whether it matches so much that it is hardly meant."""
        return bool(self.matched) and 2 * len(self.matched) >= self.looked_at


def try_rule(actor: User, fields: RuleFields) -> Trial:
    """What the rule would have done to the last LAST messages of its room, or of all that are not private.

    As when they were posted: those who moderate are not bound, and what the author wrote before counts.
    Raises AppError INVALID with ``fields`` for a rule that cannot work, FORBIDDEN, NOT_FOUND.
    """
    if not staff_may(actor, access.AUTOMOD):
        raise AppError(Code.FORBIDDEN)
    shown = {name: getattr(fields, name) for name in RuleFields.__slots__ if name not in {"removed", "live"}}
    rule = AutomodRule(**shown)
    check_rule(rule)
    sample = _sample(actor, fields.room_id)
    compiled = compile_rules([rule])
    matched = _matched(compiled, sample)
    bound = _Bound(matched)
    return Trial(len(sample), [message for message in reversed(matched) if bound(message)])


def _sample(actor: User, room_id: int | None) -> list[Message]:
    found: QuerySet[Message]
    if room_id is None:
        found = Message.objects.exclude(room__kind=RoomKind.PRIVATE).order_by("-id")
    elif access.rooms_reached_by(actor).filter(pk=room_id).exists():
        found = Message.objects.filter(room=room_id).order_by("-seq")
    else:
        raise AppError(Code.NOT_FOUND)
    return list(found.select_related("author", "room")[:LAST])[::-1]


def _matched(compiled: automod.Ruleset, sample: list[Message]) -> list[Message]:
    """Those that match, the oldest first, each with the author's earlier ones in memory."""
    memory = _Memory(compiled, sample)
    matched = []
    for message in sample:
        findings = compiled.screen(message.body, room_id=message.room_id)
        earlier, posts = memory.before(message)
        if compiled.with_history(findings, room_id=message.room_id, earlier=earlier, posts_before=posts):
            matched.append(message)
        memory.add(message, findings.digest)
    return matched


class _Memory:
    """What each author wrote before in each room, as far as the rule asks for it. At most two statements."""

    def __init__(self, compiled: automod.Ruleset, sample: list[Message]) -> None:
        self._written: dict[Place, list[tuple[Message, bytes]]] = {}
        self._posts: Counter[Place] = Counter()
        rooms = {message.room_id for message in sample}
        seconds = max((compiled.needs_history(room) for room in rooms), default=0)
        self._window = timedelta(seconds=seconds)
        if seconds:
            self._recall(sample)
        first = {(message.author_id, message.room_id): message for message in reversed(sample)}
        if wanted := max((compiled.needs_first(room) for room in rooms), default=0):
            self._count(first.values(), wanted)

    def before(self, message: Message) -> tuple[list[Earlier], int]:
        """For ``with_history``: the earlier ones within the rule's time, and how many there were."""
        place = (message.author_id, message.room_id)
        since = message.created_at - self._window
        recent = [(m, digest) for m, digest in self._written.get(place, ()) if m.created_at >= since]
        self._written[place] = recent[-MAX_EARLIER:]
        ages = [((message.created_at - m.created_at).total_seconds(), digest) for m, digest in recent]
        return [Earlier(age, digest) for age, digest in ages], self._posts[place]

    def add(self, message: Message, digest: bytes) -> None:
        """``message`` belongs to what was written before the next one."""
        place = (message.author_id, message.room_id)
        self._written.setdefault(place, []).append((message, digest))
        self._posts[place] += 1

    def _recall(self, sample: list[Message]) -> None:
        """What stands just before the sample; so much, that the sample's beginning is judged fairly."""
        oldest = min(message.created_at for message in sample)
        older = Message.objects.filter(
            pk__lt=min(message.pk for message in sample),
            created_at__gte=oldest - self._window,
            room_id__in={message.room_id for message in sample},
            author_id__in={message.author_id for message in sample},
        )
        for message in reversed(older.order_by("-id")[:LAST]):
            self.add(message, automod.digest(message.body))
        self._posts.clear()

    def _count(self, first: Iterable[Message], wanted: int) -> None:
        """How many each author had written before their first message of the sample, up to ``wanted``."""
        own = Message.objects.filter(
            room=OuterRef("room"), author=OuterRef("author"), seq__lt=OuterRef("seq")
        )
        counted = Message.objects.filter(pk__in=[message.pk for message in first]).annotate(
            posts=Func(
                ArraySubquery(own.values("pk")[:wanted]), function="cardinality", output_field=IntegerField()
            )
        )
        for author_id, room_id, posts in counted.values_list("author_id", "room_id", "posts"):
            self._posts[author_id, room_id] = posts


class _Bound:
    """Whether automod binds the author of a message: not those who moderate."""

    def __init__(self, messages: list[Message]) -> None:
        moderators = Membership.objects.filter(
            role__in=[Role.OWNER, Role.MODERATOR], room_id__in={message.room_id for message in messages}
        )
        self._places = set(moderators.values_list("user_id", "room_id"))
        staff = {message.author for message in messages if message.author.is_staff}
        self._staff = {user.pk for user in staff if staff_may(user, access.MODERATE)}

    def __call__(self, message: Message) -> bool:
        place = (message.author_id, message.room_id)
        return place not in self._places and message.author_id not in self._staff
