"""Giving and taking the rights of staff: groups, single permissions, the admin itself."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import User, admitted
from chat import access, audit
from chat.actions.changing import check_unchanged, checked
from chat.audit import Deed, Why
from chat.models import ModerationAction
from chat.roles import ADMINISTRATORS
from chat.standing import site_rank, staff_may
from chatproject.errors import AppError, Code

CHANGED = "rights.changed"


@dataclass(frozen=True, slots=True)
class Rights:
    """What someone holds as staff: groups by name, permissions as ``app.codename``."""

    is_staff: bool
    is_superuser: bool
    groups: frozenset[str]
    permissions: frozenset[str]

    def plain(self) -> dict[str, Any]:
        """For the audit."""
        return {
            "is_staff": self.is_staff,
            "is_superuser": self.is_superuser,
            "groups": sorted(self.groups),
            "permissions": sorted(self.permissions),
        }


def change_rights(actor: User, user_id: int, wanted: Rights, *, why: Why | None = None) -> None:
    """Makes ``wanted`` the rights of someone, by staff with the permission to.

    Nobody gives or takes what they do not hold, changes who stands above, or takes the last administrator's
    role (AppError FORBIDDEN, CONFLICT). Guests are never staff (INVALID).
    """
    reason = checked(why)
    with transaction.atomic():
        user = _locked(actor, user_id)
        before = rights_of(user)
        if before == wanted:
            return
        _put(actor, user, before, wanted)
        deed = Deed(
            CHANGED,
            f"person:{user.pk}",
            subject_id=user.pk,
            before=before.plain(),
            after=rights_of(user).plain(),
        )
        audit.record(actor, deed, reason)


def put_rights(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Gives back the rights that were changed; see ``chat.actions.changing``."""
    assert action.subject_id is not None  # noqa: S101
    user = _locked(actor, action.subject_id)
    before = rights_of(user)
    check_unchanged(before.plain(), expected)
    groups, permissions = frozenset(wanted["groups"]), frozenset(wanted["permissions"])
    _put(actor, user, before, Rights(wanted["is_staff"], wanted["is_superuser"], groups, permissions))


def rights_of(user: User) -> Rights:
    """What ``user`` holds now."""
    return Rights(
        user.is_staff,
        user.is_superuser,
        frozenset(user.groups.values_list("name", flat=True)),
        frozenset(_names(user.user_permissions.all())),
    )


def check_stands_above(actor: User, user: User) -> None:
    """Only superusers change superusers. Raises AppError FORBIDDEN."""
    if user.is_superuser and not actor.is_superuser:
        raise AppError(Code.FORBIDDEN, "You cannot do this to someone who stands above you.")


def is_administrator(user: User) -> bool:
    """Whether they can give rights, as long as they are let in."""
    return user.is_staff and (user.is_superuser or user.groups.filter(name=ADMINISTRATORS).exists())


def check_administrator_remains() -> None:
    """After an administrator has gone: whether somebody can still give rights. Raises AppError CONFLICT."""
    # The group's row is the lock: of two administrators who step down at once the second is refused. It is
    # NO KEY: two who each have put someone into the group would wait for each other.
    list(Group.objects.select_for_update(no_key=True).filter(name=ADMINISTRATORS))
    administrators = Q(is_superuser=True) | Q(groups__name=ADMINISTRATORS)
    if not User.objects.filter(admitted(), administrators, is_staff=True).exists():
        raise AppError(Code.CONFLICT, "This is the last administrator. Make someone else one first.")


def _locked(actor: User, user_id: int) -> User:
    if not staff_may(actor, access.GRANT):
        raise AppError(Code.FORBIDDEN)
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise AppError(Code.NOT_FOUND)
    check_stands_above(actor, user)
    if site_rank(user) > site_rank(actor):
        raise AppError(Code.FORBIDDEN)
    return user


def _put(actor: User, user: User, before: Rights, wanted: Rights) -> None:
    if user.is_guest:
        raise AppError(Code.INVALID, "Guests are never staff.")
    groups, permissions = Group.objects.filter(name__in=wanted.groups), _permissions(wanted.permissions)
    if len(groups) < len(wanted.groups) or len(permissions) < len(wanted.permissions):
        raise AppError(Code.INVALID, "There is no such group or permission.")
    if before.is_superuser != wanted.is_superuser and not actor.is_superuser:
        raise AppError(Code.FORBIDDEN, "Only superusers make and unmake superusers.")
    changed = before.permissions ^ wanted.permissions
    changed |= _permissions_in(before.groups ^ wanted.groups)
    if before.is_staff != wanted.is_staff:  # with it everything else begins or ends to count
        changed |= before.permissions | _permissions_in(before.groups)
    missing = changed - actor.get_all_permissions()
    if missing:
        words = f"You cannot give or take what you do not hold yourself: {', '.join(sorted(missing))}."
        raise AppError(Code.FORBIDDEN, words)
    was_administrator = is_administrator(user)
    user.is_staff, user.is_superuser = wanted.is_staff, wanted.is_superuser
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.set(groups)
    user.user_permissions.set(permissions)
    if was_administrator:
        check_administrator_remains()


def _permissions_in(groups: Collection[str]) -> frozenset[str]:
    return frozenset(_names(Permission.objects.filter(group__name__in=groups)))


def _permissions(names: Iterable[str]) -> list[Permission]:
    found = Permission.objects.select_related("content_type")
    wanted = set(names)
    return [p for p in found if f"{p.content_type.app_label}.{p.codename}" in wanted]


def _names(permissions: Any) -> list[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return [f"{app}.{codename}" for app, codename in pairs]
