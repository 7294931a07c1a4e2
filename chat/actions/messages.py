"""Sending, editing, deleting and restoring messages."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from accounts.models import User
from chat import access, log
from chat.actions.authors import Author, authors_of
from chat.models import Kind, Membership, Message, Role, Room
from chat.payloads import instant
from chat.text.render import clean_body, render
from chatproject.database import RETRY_AFTER_SECONDS
from chatproject.errors import AppError, Code

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way into a room, as its author wrote it."""

    author: User
    client_id: UUID
    body: str
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is in the log. ``replayed`` when an earlier send with this client_id made it."""

    message_id: int
    seq: int
    created_at: str
    replayed: bool = False


Outcome = Posted | AppError


def post_message(
    author: User, room_id: int, *, client_id: UUID, body: str, reply_to: int | None = None
) -> Posted:
    """Sends one message. Raises AppError with the reason when it is refused."""
    (outcome,) = post_messages(room_id, [Draft(author, client_id, body, reply_to)])
    if isinstance(outcome, AppError):
        raise outcome
    return outcome


def post_messages(room_id: int, drafts: Sequence[Draft]) -> list[Outcome]:
    """Sends ``drafts`` to one room in one transaction, in order; one outcome for each.

    The number of statements does not depend on the number of drafts. A refusal is an outcome, not an
    exception. What the database cannot do at all (away, locked) is raised: nothing was written, or the
    repeat will be deduplicated. Any other failure rolls back, and each draft runs alone, once.
    """
    # Rendering stands before the transaction: it must not lengthen the time the room is locked.
    written = [_write(item) for item in drafts]
    ready = [item for item in written if isinstance(item, _Written)]
    outcomes = iter(_post_written(room_id, ready) if ready else [])
    return [item if isinstance(item, AppError) else next(outcomes) for item in written]


def edit_message(actor: User, message_id: int, *, body: str) -> int:
    """Replaces the text; the current seq. Authors only; what changes nothing appends nothing."""
    cleaned = clean_body(body)
    html = render(cleaned)
    with transaction.atomic():
        message, author = _locked(actor, message_id)
        if not access.may_edit(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        if message.deleted_at is not None:
            raise AppError(Code.CONFLICT, "This message was deleted.")
        author.check_may_write()
        if message.body == cleaned:
            return message.room.last_seq
        message.body, message.html, message.edited_at = cleaned, html, author.now
        message.save(update_fields=["body", "html", "edited_at"])
        return _append(message, Kind.MESSAGE_EDITED, author)


def delete_message(actor: User, message_id: int) -> int:
    """Takes a message away, by its author or a moderator; the current seq. The text can be restored."""
    with transaction.atomic():
        message, author = _locked(actor, message_id)
        if not access.may_delete(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        # A moderator's word stands above the author's own deletion, which the author could undo.
        overrules = message.deleted_by_id == message.author_id and not access.may_edit(
            author.standing, message
        )
        if message.deleted_at is not None and not overrules:
            return message.room.last_seq
        message.deleted_at, message.deleted_by = author.now, actor
        message.save(update_fields=["deleted_at", "deleted_by"])
        return _append(message, Kind.MESSAGE_DELETED, author)


def restore_message(actor: User, message_id: int) -> int:
    """Brings a deleted message back; the current seq. Not for authors whom a moderator overruled."""
    with transaction.atomic():
        message, author = _locked(actor, message_id)
        if message.deleted_at is None:
            if not access.may_delete(author.standing, message):
                raise AppError(Code.FORBIDDEN)
            return message.room.last_seq
        if not access.may_restore(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        if not access.may_moderate_messages(author.standing):
            author.check_may_write()
        message.deleted_at, message.deleted_by = None, None
        message.save(update_fields=["deleted_at", "deleted_by"])
        return _append(message, Kind.MESSAGE_RESTORED, author)


@dataclass(frozen=True, slots=True)
class _Written:
    """A draft whose text has been checked and rendered."""

    draft: Draft
    body: str
    html: str


def _write(item: Draft) -> _Written | AppError:
    try:
        body = clean_body(item.body)
        return _Written(item, body, render(body))
    except AppError as refusal:
        return refusal
    except Exception:  # a fault in a library that one text has found must not fail the batch of others
        logger.exception("A text could not be rendered")
        return AppError(Code.INTERNAL)


def _post_written(room_id: int, written: Sequence[_Written]) -> list[Outcome]:
    try:
        return _post_batch(room_id, written)
    except (OperationalError, InterfaceError):
        raise
    except AppError as refusal:
        return [refusal] * len(written)
    except DatabaseError:
        if len(written) == 1:
            raise
        return [_post_alone(room_id, item) for item in written]


def _post_alone(room_id: int, item: _Written) -> Outcome:
    try:
        return _post_batch(room_id, [item])[0]
    except (OperationalError, InterfaceError):
        return AppError(Code.UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS)
    except AppError as refusal:
        return refusal
    except DatabaseError:
        logger.exception("A message could not be written")
        return AppError(Code.INTERNAL)


def _post_batch(room_id: int, written: Sequence[_Written]) -> list[Outcome]:
    with transaction.atomic():
        room = log.lock_room(room_id)
        batch = _Batch(room, [item.draft for item in written])
        placed = [batch.place(item) for item in written]
        batch.write()
    return [_outcome(item) for item in placed]


def _outcome(placed: tuple[Message, bool] | AppError) -> Outcome:
    """What the sender is told, now that the rows have their ids."""
    if isinstance(placed, AppError):
        return placed
    message, replayed = placed
    return Posted(message.pk, message.seq, instant(message.created_at), replayed)


class _Batch:
    """The state of one transaction: what was there, and what is to be written."""

    def __init__(self, room: Room, drafts: Sequence[Draft]) -> None:
        self.room = room
        self.earlier = {
            (message.author_id, message.client_id): message
            for message in Message.objects.filter(room=room, client_id__in=[d.client_id for d in drafts])
            if message.author_id in {d.author.pk for d in drafts}
        }
        self.authors = authors_of(room, {d.author.pk for d in drafts})
        replied = {d.reply_to for d in drafts if d.reply_to is not None}
        self.targets = (
            set(Message.objects.filter(room=room, pk__in=replied).values_list("pk", flat=True))
            if replied
            else set()
        )
        self.entries: list[log.Entry] = []
        self.messages: list[Message] = []
        self.joins: list[Membership] = []

    def place(self, written: _Written) -> tuple[Message, bool] | AppError:
        """The message and whether it was there before, or why it is refused."""
        item = written.draft
        author = self.authors.get(item.author.pk)
        if author is None or author.user.epoch != item.author.epoch:
            return AppError(Code.UNAUTHENTICATED)
        if not author.standing.may_read():
            return AppError(Code.NOT_FOUND)
        # A repeat is answered before any rule that may have changed since.
        known = self.earlier.get((item.author.pk, item.client_id))
        if known is not None:
            return known, True
        try:
            author.check_may_write()
            author.check_slow_mode()
        except AppError as refusal:
            return refusal
        if item.reply_to is not None and item.reply_to not in self.targets:
            return AppError(Code.INVALID, fields={"reply_to": ["There is no such message here."]})
        return self._accept(written, author), False

    def write(self) -> None:
        """Rows, then events, then the head."""
        Message.objects.bulk_create(self.messages)
        Membership.objects.bulk_create(self.joins)
        if self.entries:
            log.append(self.room, self.entries, at=self.messages[0].created_at)

    def _accept(self, written: _Written, author: Author) -> Message:
        item = written.draft
        if author.standing.role is None:
            self._join(author)
        message = Message(
            room=self.room,
            seq=self.room.last_seq + len(self.entries) + 1,
            author=author.user,
            client_id=item.client_id,
            body=written.body,
            html=written.html,
            reply_to_id=item.reply_to,
            created_at=author.now,
        )
        self.entries.append(log.Entry(Kind.MESSAGE_POSTED, author.user.pk, message=message))
        self.messages.append(message)
        self.earlier[item.author.pk, item.client_id] = message
        author.last_post_at = author.now
        return message

    def _join(self, author: Author) -> None:
        """The first post makes a member; guests come quietly, or a busy room would be all arrivals."""
        self.joins.append(Membership(room=self.room, user=author.user, role=Role.MEMBER))
        author.standing = access.Standing(author.user, self.room, Role.MEMBER)
        if not author.user.is_guest:
            self.entries.append(
                log.Entry(Kind.MEMBER_JOINED, author.user.pk, subject=author.user, data={"role": Role.MEMBER})
            )


def _locked(actor: User, message_id: int) -> tuple[Message, Author]:
    """The message under its room's lock, and its would-be changer as they are now."""
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise AppError(Code.NOT_FOUND)
    room = log.lock_room(room_id)
    author = authors_of(room, {actor.pk}).get(actor.pk)
    if author is None or author.user.epoch != actor.epoch:
        raise AppError(Code.UNAUTHENTICATED)
    message = Message.objects.select_related("author").get(pk=message_id)
    message.room = room
    if not author.standing.may_read() and not access.is_moderating_staff(author.standing):
        raise AppError(Code.NOT_FOUND)
    return message, author


def _append(message: Message, kind: Kind, author: Author) -> int:
    (event,) = log.append(message.room, [log.Entry(kind, author.user.pk, message=message)], at=author.now)
    return event.seq
