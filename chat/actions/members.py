"""Joining, leaving, adding, removing, roles and read marks."""

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from accounts.models import User
from accounts.names import skeleton
from chat import access, log
from chat.actions.authors import Author, authors_of
from chat.models import Kind, Membership, Role, Room, RoomKind
from chatproject.errors import AppError, Code


def join_room(actor: User, room_id: int) -> Membership:
    """Makes ``actor`` a member of a public room; a member stays what they are."""
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        if not author.standing.may_read():
            raise AppError(Code.NOT_FOUND)
        if author.standing.role is None and room.archived_at is not None:
            raise AppError(Code.ARCHIVED)
        return _ensure_member(room, author, author, Role.MEMBER)


def leave_room(actor: User, room_id: int) -> None:
    """Ends ``actor``'s membership. The last owner hands the room over first (CONFLICT)."""
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        if not author.standing.may_read():
            raise AppError(Code.NOT_FOUND)
        if author.standing.role is not None:
            _check_owner_remains(room, author.standing.role)
            _end_membership(room, author, author.user)


def add_member(actor: User, room_id: int, *, display_name: str, role: str = Role.MEMBER) -> Membership:
    """Adds someone by name, by the room's owner (moderators may add plain members).

    Raises AppError INVALID when nobody bears the name.
    """
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        _check_may_appoint(author, role)
        user = User.objects.filter(
            name_skeleton=skeleton(display_name), name_released_at__isnull=True, is_active=True
        ).first()
        if user is None:
            raise AppError(Code.INVALID, fields={"display_name": ["Nobody here has this name."]})
        _check_may_bear(user, role)
        return _ensure_member(room, author, authors_of(room, {user.pk})[user.pk], role)


def remove_member(actor: User, room_id: int, user_id: int) -> None:
    """Removes someone from a room, by a moderator. Live sockets lose a private room at once."""
    if actor.pk == user_id:
        return leave_room(actor, room_id)
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        access.check_may_moderate(author.standing)
        membership = _membership(room, user_id)
        if not access.outranks(author.standing, membership.role):
            raise AppError(Code.FORBIDDEN)
        _end_membership(room, author, membership.user)
    return None


def change_role(actor: User, room_id: int, user_id: int, *, role: str) -> Membership:
    """Makes a member a moderator, an owner or a plain member again, by an owner."""
    with transaction.atomic():
        room, author = _locked(actor, room_id)
        access.check_may_manage(author.standing)
        membership = _membership(room, user_id)
        if role not in Role.values:
            raise AppError(Code.INVALID, fields={"role": ["This is not a role."]})
        _check_may_bear(membership.user, role)
        if membership.role == role:
            return membership
        _check_owner_remains(room, membership.role)
        membership.role = role
        membership.save(update_fields=["role"])
        _append(room, Kind.MEMBER_ROLE_CHANGED, author, membership.user, role)
        return membership


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
    author = authors_of(room, {actor.pk}).get(actor.pk)
    if author is None:
        raise AppError(Code.UNAUTHENTICATED)
    return room, author


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
    access.check_may_manage(author.standing)


def _check_may_bear(user: User, role: str) -> None:
    """A guest's credentials end with their browser; a room must not depend on one."""
    if user.is_guest and role != Role.MEMBER:
        raise AppError(Code.INVALID, fields={"role": ["Guests are members only."]})


def _check_owner_remains(room: Room, leaving_role: str) -> None:
    if leaving_role != Role.OWNER:
        return
    if Membership.objects.filter(room=room, role=Role.OWNER).count() < 2:
        raise AppError(Code.CONFLICT, "Make someone else an owner first.")


def _ensure_member(room: Room, author: Author, joining: Author, role: str) -> Membership:
    membership, created = Membership.objects.get_or_create(
        room=room, user=joining.user, defaults={"role": role}
    )
    quiet = joining.user.is_guest and room.kind == RoomKind.PUBLIC
    if created and not quiet:
        _append(room, Kind.MEMBER_JOINED, author, joining.user, role)
    return membership


def _end_membership(room: Room, author: Author, user: User) -> None:
    Membership.objects.filter(room=room, user=user).delete()
    _append(room, Kind.MEMBER_LEFT, author, user, None)


def _append(room: Room, kind: Kind, author: Author, subject: User, role: str | None) -> None:
    data = {} if role is None else {"role": role}
    log.append(room, [log.Entry(kind, author.user.pk, subject=subject, data=data)], at=author.now)
