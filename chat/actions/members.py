"""Joining, leaving, adding, removing, roles and read marks."""

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from accounts.models import User, admitted
from accounts.names import skeleton
from chat import access, audit, log
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged, checked
from chat.actions.sanctions import sanction_person
from chat.actions.seats import check_owner_remains, end_seat
from chat.audit import Deed, Why
from chat.models import Kind, Membership, ModerationAction, Role, Room, SanctionKind
from chatproject.errors import AppError, Code

ROLE_CHANGED = "member.role_changed"


def join_room(actor: User, room_id: int) -> Membership:
    """Makes ``actor`` a member of a public room; a member stays what they are."""
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        _check_may_read(author)
        if author.standing.role is None and room.archived_at is not None:
            raise AppError(Code.ARCHIVED)
        return _ensure_member(room, author, author.user, Role.MEMBER)[0]


def leave_room(actor: User, room_id: int) -> None:
    """Ends ``actor``'s membership. The last owner hands the room over first (CONFLICT)."""
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        _check_may_read(author)
        end_seat(room, author.user, actor_id=author.user.pk, at=author.now)


def add_member(actor: User, room_id: int, *, display_name: str, role: str = Role.MEMBER) -> Membership:
    """Adds someone by name, by the room's owner (moderators may add plain members).

    A role is recorded as given to a member. Raises AppError INVALID when nobody bears the name.
    """
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        _check_may_appoint(author, role)
        named = User.objects.filter(name_skeleton=skeleton(display_name), name_released_at__isnull=True)
        user = named.filter(admitted()).first()
        if user is None:
            raise AppError(Code.INVALID, fields={"display_name": ["Nobody here has this name."]})
        _check_may_bear(user, role)
        if access.standing_in(room, user).bar is not None:
            raise AppError(Code.CONFLICT, "This person is banned here. Lift the ban first.")
        membership, made = _ensure_member(room, author, user, role)
        if made and role != Role.MEMBER:
            audit.record(actor, _role_deed(membership, Role.MEMBER))
        return membership


def remove_member(actor: User, room_id: int, user_id: int, *, why: Why | None = None) -> None:
    """Removes someone from a room for a while, by a moderator: a kick. Oneself leaves."""
    if actor.pk == user_id:
        return leave_room(actor, room_id)
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        access.check_may_sanction(author.standing)
        _membership(room, user_id)
        sanction_person(actor, user_id, kind=SanctionKind.KICK, room_id=room_id, why=why)
    return None


def change_role(actor: User, room_id: int, user_id: int, *, role: str, why: Why | None = None) -> Membership:
    """Makes a member a moderator, an owner or a plain member again: by an owner, or staff that may."""
    why = checked(why)
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        access.check_may_assign_roles(author.standing)
        membership = _membership(room, user_id)
        if role not in Role.values:
            raise AppError(Code.INVALID, fields={"role": ["This is not a role."]})
        before = membership.role
        if before != role:
            _put_role(room, author, membership, role)
            audit.record(actor, _role_deed(membership, before), why)
        return membership


def put_role(actor: User, action: ModerationAction, wanted: dict[str, str], expected: dict[str, str]) -> None:
    """Gives back a role that was changed; see ``chat.actions.changing``."""
    assert action.room_id is not None and action.subject_id is not None  # noqa: S101
    room, author = _locked(actor, action.room_id)
    access.check_may_assign_roles(author.standing)
    membership = (
        Membership.objects.select_related("user").filter(room=room, user_id=action.subject_id).first()
    )
    check_unchanged(membership.role if membership else None, expected["role"])
    if membership is not None:
        _put_role(room, author, membership, wanted["role"])


def mark_read(actor: User, room_id: int, *, seq: int) -> int:
    """Moves ``actor``'s read mark to ``seq``, never back and never past the head; where it is now.

    Not an event: nobody else is told. Raises AppError FORBIDDEN outside the room.
    """
    standing = access.room_for(actor, room_id)
    if standing.role is None:
        raise AppError(Code.FORBIDDEN, "Only members keep a read mark.")
    wanted = Least(Value(seq), Value(standing.room.last_seq))
    Membership.objects.filter(room_id=room_id, user=actor).update(read_seq=Greatest(F("read_seq"), wanted))
    return Membership.objects.values_list("read_seq", flat=True).get(room_id=room_id, user=actor)


def _locked(actor: User, room_id: int) -> tuple[Room, Author]:
    room = log.lock_room(room_id)
    return room, author_in(room, actor)


def _check_may_read(author: Author) -> None:
    refusal = author.standing.read_refusal()
    if refusal is not None:
        raise refusal


def _membership(room: Room, user_id: int) -> Membership:
    membership = Membership.objects.select_related("user").filter(room=room, user_id=user_id).first()
    if membership is None:
        raise AppError(Code.NOT_FOUND)
    return membership


def _check_may_appoint(author: Author, role: str) -> None:
    if role not in Role.values:
        raise AppError(Code.INVALID, fields={"role": ["This is not a role."]})
    if role == Role.MEMBER and author.standing.may_moderate():
        return
    access.check_may_assign_roles(author.standing)


def _check_may_bear(user: User, role: str) -> None:
    """A guest's credentials end with their browser; a room must not depend on one."""
    if user.is_guest and role != Role.MEMBER:
        raise AppError(Code.INVALID, fields={"role": ["Guests are members only."]})


def _put_role(room: Room, author: Author, membership: Membership, role: str) -> None:
    _check_may_bear(membership.user, role)
    if role != Role.OWNER:
        check_owner_remains(room, membership.role)
    membership.role = role
    membership.save(update_fields=["role"])
    _append(room, Kind.MEMBER_ROLE_CHANGED, author, membership.user, role)


def _role_deed(membership: Membership, before: str) -> Deed:
    return Deed(
        ROLE_CHANGED,
        f"member:{membership.user_id}",
        room_id=membership.room_id,
        subject_id=membership.user_id,
        before={"role": before},
        after={"role": membership.role},
    )


def _ensure_member(room: Room, author: Author, joining: User, role: str) -> tuple[Membership, bool]:
    membership, created = Membership.objects.get_or_create(room=room, user=joining, defaults={"role": role})
    quiet = joining.is_guest and not room.is_private
    if created and not quiet:
        _append(room, Kind.MEMBER_JOINED, author, joining, role)
    return membership, created


def _append(room: Room, kind: Kind, author: Author, subject: User, role: str) -> None:
    entry = log.Entry(kind, author.user.pk, subject=subject, data={"role": role})
    log.append(room, [entry], at=author.now)
