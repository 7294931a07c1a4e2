"""Who may do what. A room or a message for someone comes only from here, and nothing here writes.

"Not a member" and "does not exist" are one answer: NOT_FOUND.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet

from accounts.models import User
from chat.models import GuestPolicy, Membership, Message, Role, Room, RoomKind
from chatproject.errors import AppError, Code

_MANAGERS = {Role.OWNER}
_MODERATORS = {Role.OWNER, Role.MODERATOR}


@dataclass(frozen=True, slots=True)
class Standing:
    """What someone is to a room: ``user`` is None for a visitor without a name, ``role`` outside."""

    user: User | None
    room: Room
    role: str | None = None
    read_seq: int = 0

    def may_read(self) -> bool:
        """Whether this room exists for them."""
        if self.user is None or self.user.is_guest:
            if self.room.kind == RoomKind.PUBLIC:
                return self.room.guest_policy != GuestPolicy.NONE
            return self.role is not None
        return self.room.kind == RoomKind.PUBLIC or self.role is not None

    def may_moderate(self) -> bool:
        """Whether they may remove messages and members of others."""
        return self.role in _MODERATORS

    def may_manage(self) -> bool:
        """Whether they may change the room, its roles and its members."""
        return self.role in _MANAGERS

    def write_refusal(self) -> Code | None:
        """Why they may not write here, sanctions and slow mode aside; None when they may."""
        if not self.may_read():
            return Code.NOT_FOUND
        if self.room.archived_at is not None:
            return Code.ARCHIVED
        if self.user is None:
            return Code.UNAUTHENTICATED
        open_to_guests = self.room.kind == RoomKind.PRIVATE or self.room.guest_policy == GuestPolicy.WRITE
        if self.user.is_guest and not open_to_guests:
            return Code.READ_ONLY
        return None


def rooms_visible_to(user: User | None) -> QuerySet[Room]:
    """The rooms that exist for ``user``. The same rule as ``Standing.may_read``, in SQL."""
    public = Q(kind=RoomKind.PUBLIC)
    open_to_guests = public & ~Q(guest_policy=GuestPolicy.NONE)
    if user is None:
        return Room.objects.filter(open_to_guests)
    belongs = Exists(Membership.objects.filter(room=OuterRef("pk"), user=user))
    if user.is_guest:
        return Room.objects.filter(open_to_guests | (Q(kind=RoomKind.PRIVATE) & Q(belongs)))
    return Room.objects.filter(public | Q(belongs))


def has_created(user: User, client_id: UUID | None) -> bool:
    """Whether ``user`` has made a room with this ``client_id``."""
    return client_id is not None and Room.objects.filter(created_by=user, client_id=client_id).exists()


def room_for(user: User | None, room_id: int) -> Standing:
    """The room and what ``user`` is to it: one statement. Raises AppError NOT_FOUND."""
    return _seen(standing_in(Room.objects.filter(pk=room_id).first(), user))


def room_by_slug_for(user: User | None, slug: str) -> Standing:
    """As ``room_for``, by the room's name in links."""
    return _seen(standing_in(Room.objects.filter(slug=slug).first(), user))


def standing_in(room: Room | None, user: User | None) -> Standing | None:
    """What ``user`` is to ``room``, whether or not they may see it."""
    if room is None:
        return None
    if user is None:
        return Standing(None, room)
    membership = Membership.objects.filter(room=room, user=user).only("role", "read_seq").first()
    if membership is None:
        return Standing(user, room)
    return Standing(user, room, membership.role, membership.read_seq)


def message_for(user: User | None, message_id: int) -> tuple[Message, Standing]:
    """The message and what ``user`` is to its room. Raises AppError NOT_FOUND."""
    message = Message.objects.select_related("room", "author").filter(pk=message_id).first()
    standing = standing_in(message.room if message else None, user)
    if message is None or standing is None or not standing.may_read():
        raise AppError(Code.NOT_FOUND)
    return message, standing


def readers_among(room_id: int, user_ids: Collection[int]) -> dict[int | None, bool]:
    """Those of ``user_ids`` who may read the room now, and None if a visitor without a name may.

    The value is whether they may write too, sanctions aside.

    Two statements for any number of people. Nobody may read a room that is gone.
    """
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        return {}
    users = User.objects.filter(pk__in=user_ids, is_active=True).annotate(
        seat=FilteredRelation("memberships", condition=Q(memberships__room=room))
    )
    standings = [Standing(user, room, role) for user, role in _with_role(users)] + [Standing(None, room)]
    return {
        standing.user.pk if standing.user else None: standing.write_refusal() is None
        for standing in standings
        if standing.may_read()
    }


def check_may_manage(standing: Standing) -> None:
    """Owners, and staff with the permission to change any room. Raises NOT_FOUND or FORBIDDEN."""
    if standing.may_manage():
        return
    if standing.user is not None and standing.user.has_perm("chat.change_room"):
        return
    raise AppError(Code.FORBIDDEN if standing.may_read() else Code.NOT_FOUND)


def check_may_moderate(standing: Standing) -> None:
    """Moderators, owners, and staff with the permission to sanction. Raises NOT_FOUND or FORBIDDEN."""
    if standing.may_moderate():
        return
    if standing.user is not None and standing.user.has_perm("chat.add_sanction"):
        return
    raise AppError(Code.FORBIDDEN if standing.may_read() else Code.NOT_FOUND)


def outranks(standing: Standing, other_role: str | None) -> bool:
    """Whether someone may act on a member: managers on all but owners, moderators on plain members."""
    if other_role == Role.OWNER:
        return False
    return not standing.may_moderate() or standing.may_manage() or other_role != Role.MODERATOR


def is_moderating_staff(standing: Standing) -> bool:
    """Whether they look after messages of every room, from the admin."""
    return (
        standing.user is not None and standing.user.is_staff and standing.user.has_perm("chat.change_message")
    )


def may_moderate_messages(standing: Standing) -> bool:
    """Moderators and owners of the room, and staff who look after messages."""
    return standing.may_moderate() or is_moderating_staff(standing)


def may_edit(standing: Standing, message: Message) -> bool:
    """Authors change their own words; nobody else's are ever changed."""
    return standing.user is not None and message.author_id == standing.user.pk


def may_delete(standing: Standing, message: Message) -> bool:
    """Authors, those who moderate the room, and staff with the permission to change messages."""
    return may_edit(standing, message) or may_moderate_messages(standing)


def may_restore(standing: Standing, message: Message) -> bool:
    """Those who moderate, and authors what they took away themselves."""
    if may_moderate_messages(standing):
        return True
    return may_edit(standing, message) and message.deleted_by_id == message.author_id


def _seen(standing: Standing | None) -> Standing:
    if standing is None or not standing.may_read():
        raise AppError(Code.NOT_FOUND)
    return standing


def _with_role(users: QuerySet[User]) -> list[tuple[User, str | None]]:
    return [(user, user.__dict__["role"]) for user in users.annotate(role=F("seat__role"))]
