"""Who may do what. A room or a message for someone comes only from here, and nothing here writes.

"Not a member" and "does not exist" are one answer: NOT_FOUND. Whoever is barred from a room that they knew
is told BANNED, with the reason.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet

from accounts.models import User, admitted
from chat.models import GuestPolicy, Membership, Message, Role, Room, RoomKind, Sanction
from chat.standing import Standing, bonds, bound_in, staff_may, standing_by
from chatproject.errors import AppError, Code
from chatproject.statements import Parameter, Prepared, ask

# Permissions of staff, given by groups in the admin. They hold in every room that staff reaches.
MODERATE = "chat.moderate_messages"
SANCTION = "chat.sanction_users"
MANAGE = "chat.change_room"
ASSIGN_ROLES = "chat.assign_room_roles"
VIEW_PRIVATE = "chat.view_private_rooms"
HANDLE_REPORTS = "chat.handle_reports"
AUTOMOD = "chat.manage_automod"
AUDIT = "chat.view_audit"
CHANGE_PEOPLE = "accounts.change_user"
GRANT = "accounts.grant_rights"
_HERE = Parameter("room", BigIntegerField())
_ROOM_HERE = Prepared(lambda: Room.objects.filter(pk=_HERE))
_BOUND_HERE = Prepared(lambda: bound_in(User.objects.filter(pk=Parameter("user", BigIntegerField())), _HERE))
# Each of them makes someone of the staff a moderator of some kind.
_MODERATING = (MODERATE, SANCTION, MANAGE, ASSIGN_ROLES, HANDLE_REPORTS, AUTOMOD, AUDIT, CHANGE_PEOPLE, GRANT)


def rooms_visible_to(user: User | None) -> QuerySet[Room]:
    """The rooms that exist for ``user``. The same rule as ``Standing.may_read``, in SQL."""
    return visible_rooms(user.pk, is_guest=user.is_guest) if user else visible_rooms(None, is_guest=True)


def visible_rooms(user: int | Parameter | None, *, is_guest: bool) -> QuerySet[Room]:
    """``rooms_visible_to`` by id, or by a place for one; None is a visitor without a name."""
    public = ~Q(kind=RoomKind.PRIVATE)
    open_to_guests = public & ~Q(guest_policy=GuestPolicy.NONE)
    if user is None:
        return Room.objects.filter(open_to_guests)
    belongs = Exists(Membership.objects.filter(room=OuterRef("pk"), user=user))
    barred = Exists(Sanction.objects.in_force().barring().filter(room=OuterRef("pk"), user=user))
    if is_guest:
        return Room.objects.filter((open_to_guests | Q(kind=RoomKind.PRIVATE) & Q(belongs)) & ~barred)
    return Room.objects.filter((public | Q(belongs)) & ~barred)


def rooms_reached_by(user: User) -> QuerySet[Room]:
    """The rooms that ``user`` may look after from the admin. The same rule as ``reaches``, in SQL."""
    if staff_may(user, VIEW_PRIVATE):
        return Room.objects.all()
    belongs = Exists(Membership.objects.filter(room=OuterRef("pk"), user=user))
    return Room.objects.filter(~Q(kind=RoomKind.PRIVATE) | belongs)


def moderates_as_staff(user: User) -> bool:
    """Whether ``user`` is staff with something to moderate; to others the audit does not exist."""
    return any(staff_may(user, permission) for permission in _MODERATING)


def has_created(user: User, client_id: UUID | None) -> bool:
    """Whether ``user`` has made a room with this ``client_id``."""
    return client_id is not None and Room.objects.filter(created_by=user, client_id=client_id).exists()


def room_for(user: User | None, room_id: int) -> Standing:
    """The room and what ``user`` is to it: one statement. Raises AppError NOT_FOUND, BANNED."""
    return _seen(standing_by(user, id=room_id))


def room_by_slug_for(user: User | None, slug: str) -> Standing:
    """As ``room_for``, by the room's name in links."""
    return _seen(standing_by(user, slug=slug))


def check_may_open(user: User | None, room_id: int) -> bool:
    """Whether someone who may read the room may write there too. Raises AppError NOT_FOUND, BANNED."""
    if user is None:
        return room_for(user, room_id).write_refusal() is None
    rooms, people = ask(_ROOM_HERE.of(room=room_id), _BOUND_HERE.of(room=room_id, user=user.pk))
    standing, mute = bonds(people[0], rooms[0]) if rooms and people else (None, None)
    return _seen(standing).write_refusal() is None and mute is None


def standing_in(room: Room, user: User | None) -> Standing:
    """What ``user`` is to ``room``, whether or not they may see it: one statement."""
    standing = standing_by(user, id=room.pk)
    if standing is None:
        raise AppError(Code.NOT_FOUND)
    return standing


def message_for(user: User | None, message_id: int) -> tuple[Message, Standing]:
    """The message and what ``user`` is to its room. Raises AppError NOT_FOUND, BANNED."""
    message = Message.objects.select_related("author").filter(pk=message_id).first()
    if message is None:
        raise AppError(Code.NOT_FOUND)
    standing = room_for(user, message.room_id)
    message.room = standing.room
    return message, standing


def moderators_of(room: Room) -> list[int]:
    """Those who look after the room by their role in it: whom to tell of what waits."""
    moderators = Membership.objects.filter(room=room, role__in=[Role.OWNER, Role.MODERATOR])
    return list(moderators.values_list("user_id", flat=True))


def readers_among(room_id: int, user_ids: Collection[int]) -> dict[int | None, bool | Code]:
    """What each of ``user_ids``, and None for a visitor without a name, may do in the room now.

    True: read and write (slow mode aside). False: read. A code: neither, and why. Two statements for any
    number of people. Nobody may read a room that is gone.
    """
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        return {}
    found: dict[int | None, bool | Code] = {}
    people = bound_in(User.objects.filter(admitted(), pk__in=user_ids), room)
    for standing, mute in [bonds(user, room) for user in people] + [(Standing(None, room), None)]:
        hidden = standing.read_refusal()
        may_write = standing.write_refusal() is None and mute is None
        found[standing.user.pk if standing.user else None] = hidden.code if hidden else may_write
    return found


def check_may_manage(standing: Standing) -> None:
    """Owners, and staff with the permission to change any room. Raises NOT_FOUND, BANNED or FORBIDDEN."""
    _check(standing, standing.may_manage() or _staff_may_here(standing, MANAGE))


def check_may_assign_roles(standing: Standing) -> None:
    """Owners, and staff with the permission to. Raises NOT_FOUND, BANNED or FORBIDDEN."""
    _check(standing, standing.may_manage() or _staff_may_here(standing, ASSIGN_ROLES))


def check_may_sanction(standing: Standing) -> None:
    """Moderators, owners, and staff with the permission to. Raises NOT_FOUND, BANNED or FORBIDDEN."""
    _check(standing, may_sanction(standing))


def check_may_moderate(standing: Standing) -> None:
    """Moderators, owners, and staff who look after messages. Raises NOT_FOUND, BANNED or FORBIDDEN."""
    _check(standing, may_moderate_messages(standing))


def check_outranks(standing: Standing, other: Standing) -> None:
    """Whether someone may act on another: never on themselves, or on who stands as high. Raises FORBIDDEN."""
    if standing.user is not None and other.user is not None and standing.user.pk == other.user.pk:
        raise AppError(Code.FORBIDDEN, "You cannot do this to yourself.")
    # What staff are everywhere lifts who acts only with the permission to; who is acted on in any case.
    acting = standing.rank() if _staff_may_here(standing, SANCTION) else standing.role_rank()
    if other.rank() >= acting:
        raise AppError(Code.FORBIDDEN, "You cannot do this to someone who stands as high as you or higher.")


def reaches(standing: Standing) -> bool:
    """Private rooms are closed to staff too, but for members and those who may look into them."""
    inside = standing.role is not None or not standing.room.is_private
    return inside or staff_may(standing.user, VIEW_PRIVATE)


def may_sanction(standing: Standing) -> bool:
    """Whether they may warn, mute, kick and ban here."""
    return standing.may_moderate() or _staff_may_here(standing, SANCTION)


def is_moderating_staff(standing: Standing) -> bool:
    """Whether they look after messages of every room, from the admin."""
    return _staff_may_here(standing, MODERATE)


def may_moderate_messages(standing: Standing) -> bool:
    """Moderators and owners of the room, and staff who look after messages."""
    return standing.may_moderate() or is_moderating_staff(standing)


def may_edit(standing: Standing, message: Message) -> bool:
    """Authors change their own words; nobody else's are ever changed."""
    return standing.user is not None and message.author_id == standing.user.pk


def may_delete(standing: Standing, message: Message) -> bool:
    """Authors, those who moderate the room, and staff with the permission to moderate messages."""
    return may_edit(standing, message) or may_moderate_messages(standing)


def may_see_revisions(standing: Standing, message: Message) -> bool:
    """Earlier texts are for the author, while the message stands, and for those who moderate."""
    own = may_edit(standing, message) and message.deleted_at is None
    return own or may_moderate_messages(standing)


def may_restore(standing: Standing, message: Message) -> bool:
    """Those who moderate, and authors what they took away themselves.

    What another moderator took from a moderator is not theirs to bring back; it is the owner's and staff's.
    """
    if may_edit(standing, message):
        own = message.deleted_by_id == message.author_id
        return own or standing.may_manage() or is_moderating_staff(standing)
    return may_moderate_messages(standing)


def rights_in(standing: Standing, *, muted: bool = False) -> list[str]:
    """What they may do here, for a client that shows or hides its buttons. It decides nothing."""
    allowed = {
        "write": standing.write_refusal() is None and not muted,
        "moderate": may_moderate_messages(standing),
        "sanction": may_sanction(standing),
        "manage": standing.may_manage() or _staff_may_here(standing, MANAGE),
    }
    return [name for name, may in allowed.items() if may]


def _staff_may_here(standing: Standing, permission: str) -> bool:
    return staff_may(standing.user, permission) and reaches(standing)


def _check(standing: Standing, allowed: bool) -> None:
    if not allowed:
        raise standing.read_refusal() or AppError(Code.FORBIDDEN)


def _seen(standing: Standing | None) -> Standing:
    refusal = AppError(Code.NOT_FOUND) if standing is None else standing.read_refusal()
    if standing is None or refusal is not None:
        raise refusal or AppError(Code.NOT_FOUND)
    return standing
