"""Editing, deleting and restoring messages."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from chat import access, audit, log, notices
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged, checked
from chat.actions.ruleset import check_edit
from chat.audit import Deed, Why
from chat.models import Kind, Message, MessageRevision, ModerationAction, NoticeKind
from chat.models.reason import reason_given
from chat.payloads import instant
from chat.text.render import clean_body, render
from chatproject.errors import AppError, Code

DELETED, RESTORED = "message.deleted", "message.restored"


def edit_message(actor: User, message_id: int, *, body: str) -> int:
    """Replaces the text; the current seq. Authors only; what changes nothing appends nothing."""
    cleaned = clean_body(body)
    html = render(cleaned)
    with transaction.atomic():
        message, author = lock_message(actor, message_id)
        if not access.may_edit(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        if message.deleted_at is not None:
            raise AppError(Code.CONFLICT, "This message was deleted.")
        author.check_may_write()
        if message.body == cleaned:
            return message.room.last_seq
        check_edit(author, message.room, cleaned)
        MessageRevision.objects.create(
            message=message, body=message.body, written_at=message.edited_at or message.created_at
        )
        message.body, message.html, message.edited_at = cleaned, html, author.now
        message.save(update_fields=["body", "html", "edited_at"])
        return _append(message, Kind.MESSAGE_EDITED, author.user.pk, at=author.now)


def delete_message(actor: User, message_id: int, *, why: Why | None = None) -> int:
    """Takes a message away, by its author or a moderator; the current seq. The text can be restored.

    What a moderator does is recorded, and its author told of a reason that is given.
    """
    reason = checked(why)
    with transaction.atomic():
        message, author = lock_message(actor, message_id)
        if not access.may_delete(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        is_own = access.may_edit(author.standing, message)
        # A moderator's word stands above the author's own deletion, which the author could undo.
        overrules = message.deleted_by_id == message.author_id and not is_own
        if message.deleted_at is not None and not overrules:
            return message.room.last_seq
        before = deletion_of(message)
        seq = put_deletion(message, author.now, actor.pk, by=author.user.pk, at=author.now)
        if not is_own:
            audit.record(actor, deletion_deed(DELETED, message, before), reason)
            if why is not None and (why.category or why.text):
                notices.tell(
                    message.author_id, NoticeKind.MESSAGE_REMOVED, _told(message, reason), at=author.now
                )
        return seq


def restore_message(actor: User, message_id: int, *, why: Why | None = None) -> int:
    """Brings a deleted message back; the current seq. Not for authors whom a moderator overruled."""
    reason = checked(why)
    with transaction.atomic():
        message, author = lock_message(actor, message_id)
        if message.deleted_at is None:
            if not access.may_delete(author.standing, message):
                raise AppError(Code.FORBIDDEN)
            return message.room.last_seq
        if not access.may_restore(author.standing, message):
            raise AppError(Code.FORBIDDEN)
        is_own = message.deleted_by_id == actor.pk == message.author_id
        if not access.may_moderate_messages(author.standing):
            author.check_may_write()
        before = deletion_of(message)
        seq = put_deletion(message, None, None, by=author.user.pk, at=author.now)
        if not is_own:
            audit.record(actor, deletion_deed(RESTORED, message, before), reason)
        return seq


def put_message(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Gives a message back the deletion that it had, or none; see ``chat.actions.changing``."""
    message, author = lock_message(actor, int(action.target.partition(":")[2]))
    access.check_may_moderate(author.standing)
    check_unchanged(deletion_of(message), expected)
    deleted_at = datetime.fromisoformat(wanted["deleted_at"]) if wanted["deleted_at"] else None
    put_deletion(message, deleted_at, wanted["deleted_by"], by=author.user.pk, at=author.now)


def deletion_of(message: Message) -> dict[str, Any]:
    """Whether, when and by whom ``message`` was taken away, as plain values."""
    return {
        "deleted_at": instant(message.deleted_at) if message.deleted_at else None,
        "deleted_by": message.deleted_by_id,
    }


def deletion_deed(kind: str, message: Message, before: dict[str, Any]) -> Deed:
    """The audit's entry of a message that was taken away or brought back."""
    return Deed(
        kind,
        f"message:{message.pk}",
        room_id=message.room_id,
        subject_id=message.author_id,
        before=before,
        after=deletion_of(message),
    )


def put_deletion(
    message: Message, deleted_at: datetime | None, deleted_by: int | None, *, by: int | None, at: datetime
) -> int:
    """Takes ``message`` away, or brings it back, in its locked room; the seq of that."""
    message.deleted_at, message.deleted_by_id = deleted_at, deleted_by
    message.save(update_fields=["deleted_at", "deleted_by"])
    return _append(message, Kind.MESSAGE_DELETED if deleted_at else Kind.MESSAGE_RESTORED, by, at=at)


def lock_message(actor: User, message_id: int) -> tuple[Message, Author]:
    """The message under its room's lock, and its would-be changer as they are now."""
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise AppError(Code.NOT_FOUND)
    room = log.lock_room(room_id)
    author = author_in(room, actor)
    message = Message.objects.select_related("author").get(pk=message_id)
    message.room = room
    refusal = author.standing.read_refusal()
    if refusal is not None and not access.is_moderating_staff(author.standing):
        raise refusal
    return message, author


def _told(message: Message, why: Why) -> dict[str, Any]:
    return {
        "room": message.room_id,
        "room_name": message.room.name,
        "message": message.pk,
        "reason": reason_given(why.category, why.text),
    }


def _append(message: Message, kind: Kind, actor_id: int | None, *, at: datetime) -> int:
    (event,) = log.append(message.room, [log.Entry(kind, actor_id, message=message)], at=at)
    return event.seq
