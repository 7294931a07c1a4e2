"""The log: every change of a room at its place, written in the transaction of the change itself.

The writer locks the room, so seq order is commit order and there are no holes. After the commit the
events go to whoever listens in this process (``on_committed``): the hub and the doorbell.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import BigIntegerField
from django.db.transaction import TransactionManagementError

from chat.models import Kind, Message, Room, RoomEvent
from chat.payloads import EventPayload, event_payload
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared, Statement, ask, insertion


@dataclass(frozen=True, slots=True)
class Entry:
    """A change to be logged: what it is, who made it, what it names."""

    kind: Kind
    actor_id: int | None
    message: Message | None = None
    subject: Any = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as readers get it, with the ids that a reader in the server needs to act on it."""

    payload: EventPayload
    message_id: int | None
    subject_id: int | None

    @property
    def seq(self) -> int:
        return self.payload.seq

    @property
    def kind(self) -> str:
        return self.payload.kind


@dataclass(frozen=True, slots=True)
class Heads:
    """The last and first kept seq of rooms, and the epoch, of one moment."""

    epoch: str
    now: datetime
    last: dict[int, int]
    first: dict[int, int]


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(list[LoggedEvent])

_LOCKED = Prepared(
    lambda: Room.objects.select_for_update(no_key=True).filter(pk=Parameter("room", BigIntegerField()))
)
_HEAD_SQL = "UPDATE chat_room SET last_seq = %s WHERE id = %s"

Listener = Callable[[int, list[LoggedEvent]], None]
Watcher = Callable[[Room, Sequence[RoomEvent]], None]
_watchers: list[Watcher] = []
_listeners: list[Listener] = []


def lock_room(room_id: int) -> Room:
    """The room, locked until the transaction ends. Lock first, look second, write third.

    Raises AppError NOT_FOUND.
    """
    (found,) = ask(locking(room_id))
    return locked(found)


def locking(room_id: int) -> Statement[Room]:
    """The statement that locks the room, to be asked with others; ``locked`` reads what it has found.

    The lock is ``NO KEY``: the plain one would block every insert whose foreign key names the room.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A room is locked in a transaction.")
    return _LOCKED.of(room=room_id)


def locked(found: list[Room]) -> Room:
    """The room that ``locking`` has found. Raises AppError NOT_FOUND."""
    if not found:
        raise AppError(Code.NOT_FOUND)
    return found[0]


def append(
    room: Room, entries: Sequence[Entry], *, at: datetime, first: Sequence[Statement[Any]] = ()
) -> list[RoomEvent]:
    """Gives ``entries`` the next seqs of the locked ``room`` and writes them; readers learn at commit.

    One round trip, whatever the number of entries; what writes the rows they name may go along, ``first``.
    """
    events = [
        RoomEvent(
            room=room,
            seq=seq,
            kind=entry.kind,
            actor_id=entry.actor_id,
            message=entry.message,
            subject=entry.subject,
            data=entry.data,
            created_at=at,
        )
        for seq, entry in enumerate(entries, start=room.last_seq + 1)
    ]
    if not events:
        return events
    room.last_seq = events[-1].seq
    ask(*first, insertion(events), Statement(_HEAD_SQL, [room.last_seq, room.pk]))
    for watcher in _watchers:
        watcher(room, events)
    transaction.on_commit(partial(_announce, room.pk, events))
    return events


def read_after(room_id: int, seq: int, limit: int) -> list[LoggedEvent]:
    """Up to ``limit`` events after ``seq``, in order, as they are now."""
    events = (
        RoomEvent.objects.filter(room_id=room_id, seq__gt=seq)
        .select_related("room", "message__author", "subject")
        .order_by("seq")[:limit]
    )
    return [_logged(event) for event in events]


def heads(room_ids: Iterable[int]) -> Heads:
    """Where the log of each room stands, and the epoch: one statement for any number of rooms.

    Rooms that do not exist are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEADS_SQL, [list(room_ids)])
        rows = cursor.fetchall()
    parts, now = rows[0][:4], rows[0][4]
    found = [row[5:] for row in rows if row[5] is not None]
    return Heads(
        epoch=hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:16],
        now=now,
        last={room_id: last for room_id, last, _ in found},
        first={room_id: first for room_id, _, first in found},
    )


def on_committed(listener: Listener) -> None:
    """Calls ``listener(room_id, events)`` after every commit of this process, on the writer's thread."""
    _listeners.append(listener)


def on_appended(watcher: Watcher) -> None:
    """Calls ``watcher(room, events)`` in the transaction that has appended them: for jobs."""
    _watchers.append(watcher)


def pack(events: list[LoggedEvent]) -> bytes:
    """``events`` for another process of ours, which reads them with ``unpack``."""
    return _packer.encode(events)


def unpack(packed: bytes) -> list[LoggedEvent]:
    """What ``pack`` was given. Raises msgspec.MsgspecError for anything else."""
    return _unpacker.decode(packed)


def _announce(room_id: int, events: list[RoomEvent]) -> None:
    logged = [_logged(event) for event in events]
    for listener in _listeners:
        listener(room_id, logged)


def _logged(event: RoomEvent) -> LoggedEvent:
    return LoggedEvent(event_payload(event), event.message_id, event.subject_id)


# The epoch names this incarnation of the database: the cluster, its timeline (a fail-over or a restore
# to a point in time starts a new one), the database, and a value that `manage.py new_epoch` changes.
_HEADS_SQL = """
    SELECT s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), d.oid, i.value,
           clock_timestamp(), r.id, r.last_seq, r.first_seq
      FROM pg_control_system() s
      JOIN pg_database d ON d.datname = current_database()
      LEFT JOIN chat_incarnation i ON true
      LEFT JOIN chat_room r ON r.id = ANY(%s)
"""
