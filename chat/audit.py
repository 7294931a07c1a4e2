"""The audit: what moderators did, in a chain that shows every later change.

``record`` is called last in the transaction of the action itself: it takes the lock of the chain after the
locks of rooms, in every transaction, so that two never wait for each other.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from structlog.contextvars import get_contextvars

from accounts.models import User
from chat.models import ActionNote, ModerationAction
from chat.payloads import instant

GENESIS = bytes(32)
_LOCK = 4_117_002
_canonical = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Why:
    """The reason of an action: from the list, and in the moderator's own words."""

    category: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action to be recorded. ``target`` names what it changed, such as ``message:12``.

    ``before`` and ``after`` hold ids and settings, never the text of anybody.
    """

    kind: str
    target: str
    room_id: int | None = None
    subject_id: int | None = None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    undoes_id: int | None = None


def record(actor: User | None, deed: Deed, why: Why | None = None) -> ModerationAction:
    """Appends ``deed`` to the chain. Three statements, one more for a note. In a transaction, at its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        # Its own statement: it sees what the holder before has committed.
        cursor.execute(
            "SELECT clock_timestamp(), (SELECT digest FROM chat_moderationaction ORDER BY id DESC LIMIT 1)"
        )
        now, previous = cursor.fetchone()
    why = why or Why()
    action = ModerationAction(
        at=now,
        actor=actor,
        kind=deed.kind,
        room_id=deed.room_id,
        subject_id=deed.subject_id,
        target=deed.target,
        category=why.category,
        before=deed.before,
        after=deed.after,
        undoes_id=deed.undoes_id,
        request_id=str(get_contextvars().get("request_id", "")),
        previous=bytes(previous or GENESIS),
    )
    action.digest = digest_of(action)
    action.save(force_insert=True)
    if why.text:
        ActionNote.objects.create(action=action, text=why.text)
    return action


def digest_of(action: ModerationAction) -> bytes:
    """SHA-256 over the digest before and everything in the row but its id."""
    fields = {
        "at": instant(action.at),
        "actor": action.actor_id,
        "kind": action.kind,
        "room": action.room_id,
        "subject": action.subject_id,
        "target": action.target,
        "category": action.category,
        "before": action.before,
        "after": action.after,
        "undoes": action.undoes_id,
        "request_id": action.request_id,
    }
    return hashlib.sha256(bytes(action.previous) + _canonical(fields)).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain found. ``broken_at`` is the first row that does not fit."""

    count: int
    head: str
    broken_at: int | None
    last_at: datetime | None


def verify() -> Verdict:
    """Walks the whole chain, in constant memory. What it finds is told, not raised."""
    previous, count, last = GENESIS, 0, None
    for action in _all():
        if bytes(action.previous) != previous or bytes(action.digest) != digest_of(action):
            return Verdict(count, previous.hex(), action.pk, action.at)
        previous, count, last = bytes(action.digest), count + 1, action.at
    return Verdict(count, previous.hex(), None, last)


def _all() -> Iterator[ModerationAction]:
    return ModerationAction.objects.order_by("id").iterator(chunk_size=2000)


def holds(digest: str) -> bool:
    """Whether a row has this digest, in hexadecimal: an end that was cut off is not seen otherwise."""
    try:
        wanted = bytes.fromhex(digest)
    except ValueError:
        return False
    return wanted == GENESIS or ModerationAction.objects.filter(digest=wanted).exists()
