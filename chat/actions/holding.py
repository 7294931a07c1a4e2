"""Messages that wait for a moderator, and what is decided about them."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from chat import access, audit, log, notices
from chat.actions.authors import Author, author_in, authors_of
from chat.actions.changing import check_unchanged, checked
from chat.actions.messages import put_deletion
from chat.actions.seats import end_seat, put_seat, seat_of
from chat.audit import Deed, Why
from chat.models import (
    HeldMessage,
    HeldState,
    Kind,
    Membership,
    Message,
    ModerationAction,
    NoticeKind,
    Role,
    Room,
)
from chat.models.reason import reason_given
from chatproject.errors import AppError, Code

APPROVED, REJECTED = "held.approved", "held.rejected"
WAITING_HINT = "held.waiting"


def hold_messages(room: Room, held: Sequence[HeldMessage]) -> None:
    """Keeps messages for a moderator, in the locked room, and tells those who may decide."""
    if not held:
        return
    HeldMessage.objects.bulk_create(held)
    notices.hint(access.moderators_of(room), WAITING_HINT, {"room": room.pk})


def approve_held(actor: User, held_id: int, *, why: Why | None = None) -> HeldMessage:
    """Lets a message into the room, at its end. Raises AppError CONFLICT when it was decided already."""
    return _decide(actor, held_id, HeldState.APPROVED, APPROVED, why)


def reject_held(actor: User, held_id: int, *, why: Why | None = None) -> HeldMessage:
    """Keeps a message out. Raises AppError CONFLICT when it was decided already."""
    return _decide(actor, held_id, HeldState.REJECTED, REJECTED, why)


def put_held(actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]) -> None:
    """Makes a decided message wait again, or decides it again; see ``chat.actions.changing``.

    A message that had been approved keeps its place in the log, deleted. Who became a member by it is one no
    longer, and becomes the same one again; whoever is more than a member by now stays.
    """
    held, author = _locked(actor, int(action.target.partition(":")[2]))
    check_unchanged(held.state, expected["state"])
    _put_state(held, author, wanted["state"])
    if "seat" not in wanted:
        return
    seat = seat_of(held.room, held.author)
    if wanted["seat"] is None and seat is not None and seat["role"] == Role.MEMBER:
        end_seat(held.room, held.author, actor_id=author.user.pk, at=author.now)
    elif wanted["seat"] is not None and seat is None and _may_join(held):
        put_seat(held.room, held.author, wanted["seat"], actor_id=author.user.pk, at=author.now)


def _decide(actor: User, held_id: int, state: str, kind: str, why: Why | None) -> HeldMessage:
    reason = checked(why)
    with transaction.atomic():
        held, author = _locked(actor, held_id)
        if held.state != HeldState.WAITING:
            by = held.decided_by.display_name if held.decided_by else "Someone"
            raise AppError(Code.CONFLICT, f"{by} has decided already: {held.get_state_display().lower()}.")
        before: dict[str, Any] = {"state": HeldState.WAITING}
        after: dict[str, Any] = {"state": state}
        if state == HeldState.APPROVED and _join(held, author):
            before, after = before | {"seat": None}, after | {"seat": seat_of(held.room, held.author)}
        _put_state(held, author, state)
        told = {"room": held.room_id, "room_name": held.room.name, "client_id": str(held.client_id)}
        if state == HeldState.APPROVED:
            notices.tell(
                held.author_id, NoticeKind.HELD_APPROVED, told | {"message": held.message_id}, at=author.now
            )
        else:
            given = reason_given(reason.category, reason.text) if why and (why.category or why.text) else ""
            notices.tell(held.author_id, NoticeKind.HELD_REJECTED, told | {"reason": given}, at=author.now)
        deed = Deed(
            kind,
            f"held:{held.pk}",
            room_id=held.room_id,
            subject_id=held.author_id,
            before=before,
            after=after,
        )
        audit.record(actor, deed, reason)
    return held


def _locked(actor: User, held_id: int) -> tuple[HeldMessage, Author]:
    room_id = HeldMessage.objects.filter(pk=held_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise AppError(Code.NOT_FOUND)
    room = log.lock_room(room_id)
    author = author_in(room, actor)
    if not access.may_moderate_messages(author.standing):
        # Whether something waits is the moderators' to know.
        raise AppError(Code.NOT_FOUND)
    held = HeldMessage.objects.select_related("author", "message", "decided_by").get(pk=held_id)
    held.room = room
    return held, author


def _put_state(held: HeldMessage, author: Author, state: str) -> None:
    if state == HeldState.APPROVED:
        _check_open(held.room)
        _let_in(held, author)
    elif held.state == HeldState.APPROVED and held.message is not None:
        held.message.room = held.room
        put_deletion(held.message, author.now, author.user.pk, by=author.user.pk, at=author.now)
    held.state = state
    held.decided_at = None if state == HeldState.WAITING else author.now
    held.decided_by = None if state == HeldState.WAITING else author.user
    held.save(update_fields=["state", "decided_at", "decided_by", "message"])
    notices.hint(access.moderators_of(held.room), WAITING_HINT, {"room": held.room_id})


def _let_in(held: HeldMessage, author: Author) -> None:
    room = held.room
    if held.message is not None:
        held.message.room = room
        put_deletion(held.message, None, None, by=author.user.pk, at=author.now)
        return
    held.message = Message.objects.create(
        room=room,
        seq=room.last_seq + 1,
        author=held.author,
        client_id=held.client_id,
        body=held.body,
        html=held.html,
        reply_to_id=held.reply_to_id,
        created_at=author.now,
    )
    log.append(room, [log.Entry(Kind.MESSAGE_APPROVED, author.user.pk, message=held.message)], at=author.now)


def _check_open(room: Room) -> None:
    if room.archived_at is not None:
        raise AppError(Code.ARCHIVED)


def _join(held: HeldMessage, author: Author) -> bool:
    """The first message that is let in makes a member, as the first post does: whether it has."""
    _check_open(held.room)
    if not _may_join(held):
        return False
    membership, created = Membership.objects.get_or_create(
        room=held.room, user=held.author, defaults={"role": Role.MEMBER}
    )
    if created and not held.author.is_guest:
        entry = log.Entry(
            Kind.MEMBER_JOINED, author.user.pk, subject=held.author, data={"role": membership.role}
        )
        log.append(held.room, [entry], at=author.now)
    return created


def _may_join(held: HeldMessage) -> bool:
    """Not who was banned or removed since they wrote, or has left a private room: approval lets nobody in."""
    author = authors_of(held.room, {held.author_id}).get(held.author_id)
    return author is not None and author.standing.read_refusal() is None
