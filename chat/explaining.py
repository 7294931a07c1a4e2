"""What someone may do in a room, and why: the answers of ``chat.access``, each with its reason in words."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db.models import Q

from accounts.models import FOREVER, User
from chat import access
from chat.models import GuestPolicy, Role, Room, RoomKind
from chat.models.reason import reason_given
from chat.standing import Restriction, Standing, bonds, bound_in
from chatproject.database import clock
from chatproject.errors import AppError, Code


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether someone may do one thing, and what decides it."""

    right: str
    label: str
    may: bool
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """Someone in a room: everything that the answers depend on."""

    user: User
    room: Room
    standing: Standing
    mute: Restriction | None
    kept_out: str


def explain(user: User, room: Room) -> list[Answer]:
    """Every right, in the order in which one needs the one before. For staff a statement each."""
    person = bound_in(User.objects.filter(pk=user.pk), room).get()
    standing, mute = bonds(person, room)
    place = Place(person, room, standing, mute, _kept_out(person))
    answers = [
        _answer(place, "read", "Read the room", standing.read_refusal() is None, _why_read),
        _answer(
            place, "write", "Write messages", standing.write_refusal() is None and mute is None, _why_write
        ),
    ]
    for right, label, allowed, roles, permission in _RIGHTS:
        answers.append(_answer(place, right, label, allowed(standing), _why_staff(roles, permission)))
    return answers


def may_manage(standing: Standing) -> bool:
    """As ``access.check_may_manage`` decides."""
    return _passes(access.check_may_manage, standing)


def may_assign_roles(standing: Standing) -> bool:
    """As ``access.check_may_assign_roles`` decides."""
    return _passes(access.check_may_assign_roles, standing)


def may_look_after(standing: Standing) -> bool:
    """Whether staff reaches the room's messages from the admin."""
    return standing.user is not None and standing.user.is_staff and access.reaches(standing)


def _passes(check: Callable[[Standing], None], standing: Standing) -> bool:
    try:
        check(standing)
    except AppError:
        return False
    return True


_MODERATES, _OWNS = (Role.MODERATOR, Role.OWNER), (Role.OWNER,)
_RIGHTS: tuple[tuple[str, str, Callable[[Standing], bool], tuple[str, ...], str], ...] = (
    ("moderate", "Remove and restore messages, decide held ones", access.may_moderate_messages, _MODERATES,
     access.MODERATE),
    ("sanction", "Warn, mute, kick and ban", access.may_sanction, _MODERATES, access.SANCTION),
    ("manage", "Change the room", may_manage, _OWNS, access.MANAGE),
    ("assign_roles", "Give and take roles in the room", may_assign_roles, _OWNS, access.ASSIGN_ROLES),
)  # fmt: skip


def _answer(place: Place, right: str, label: str, may: bool, why: Callable[[Place, bool], str]) -> Answer:
    """Whoever is not let in at all may do nothing, whatever they hold."""
    if place.kept_out:
        return Answer(right, label, False, place.kept_out)
    return Answer(right, label, may, why(place, may))


def _kept_out(user: User) -> str:
    if not user.is_active:
        return "The account is deactivated."
    if user.banned_until is None or user.banned_until <= clock():
        return ""
    end = "for ever" if user.banned_until >= FOREVER else f"until {user.banned_until:%Y-%m-%d %H:%M} UTC"
    return f"Banned everywhere {end}. {user.ban_reason}".strip()


def _why_read(place: Place, may: bool) -> str:
    standing, room = place.standing, place.room
    if standing.bar is not None and may is False and not _is_shut(place):
        return _sanction(standing.bar)
    if room.kind == RoomKind.PRIVATE:
        return _role(standing) if may else "The room is private, and they do not belong to it."
    if not may:
        return "The room is not open to guests."
    return (
        "Guests may read here."
        if place.user.is_guest
        else "The room is public; whoever has an account reads it."
    )


def _is_shut(place: Place) -> bool:
    """Whether they could not read it without any sanction either."""
    refusal = Standing(place.user, place.room, place.standing.role).read_refusal()
    return refusal is not None


def _why_write(place: Place, may: bool) -> str:
    standing, room = place.standing, place.room
    refusal = standing.write_refusal()
    if standing.read_refusal() is not None:
        return _why_read(place, False)
    if refusal is not None and refusal.code == Code.ARCHIVED:
        return "The room is archived."
    if room.kind == RoomKind.ANNOUNCEMENT:
        return _announcing(place, may)
    if refusal is not None:
        return "Guests only read here."
    if place.mute is not None:
        return _sanction(place.mute)
    if standing.waits_for_approval():
        return "Guests write here; each message waits for a moderator."
    if place.user.is_guest and room.guest_policy == GuestPolicy.WRITE:
        return "Guests may write here."
    return _role(standing) if standing.role else "The room is public; the first message makes them a member."


def _announcing(place: Place, may: bool) -> str:
    if place.mute is not None and place.standing.write_refusal() is None:
        return _sanction(place.mute)
    return _role(place.standing) if may else "Only moderators write in a room of announcements."


def _why_staff(roles: tuple[str, ...], permission: str) -> Callable[[Place, bool], str]:
    def why(place: Place, may: bool) -> str:
        standing = place.standing
        if may and standing.role in roles and standing.bar is None:
            return _role(standing)
        if may:
            return _source(place.user, permission)
        if place.user.is_staff and place.user.has_perm(permission):
            return f"The room is private: “{access.VIEW_PRIVATE}” is missing, and they do not belong to it."
        if standing.bar is not None and standing.role in roles:
            return _sanction(standing.bar)
        wanted = " or ".join(Role(role).label.lower() for role in roles)
        is_what = (
            f"They are {_a_role(standing.role)} here" if standing.role else "They do not belong to the room"
        )
        staff = "" if place.user.is_staff else ", and they are not staff"
        return f"{is_what}{staff}. Needs {wanted} of the room, or staff with “{permission}”."

    return why


def _source(user: User, permission: str) -> str:
    """Where a member of staff has a permission from."""
    if user.is_superuser:
        return "Superuser: holds every permission."
    label, _, codename = permission.partition(".")
    of = Q(permissions__content_type__app_label=label, permissions__codename=codename)
    groups = list(Group.objects.filter(of, user=user).order_by("name").values_list("name", flat=True))
    if groups:
        return f"Staff, group {' and '.join(f'“{name}”' for name in groups)}: “{permission}”."
    return f"Staff: “{permission}”, given to them alone."


def _role(standing: Standing) -> str:
    return f"They are {_a_role(standing.role)} here."


def _a_role(role: str | None) -> str:
    label = Role(role or Role.MEMBER).label.lower()
    return f"an {label}" if label[0] in "aeiou" else f"a {label}"


def _sanction(found: Restriction) -> str:
    where = "everywhere" if found.everywhere else "here"
    end = f"until {found.ends_at:%Y-%m-%d %H:%M} UTC" if found.ends_at else "for ever"
    named = {"mute": "Muted", "kick": "Kicked", "ban": "Banned"}.get(found.kind, found.kind)
    return f"{named} {where} {end}. Reason: {reason_given(found.category, found.reason)}."
