"""The groups of staff, made after every migrate, and what each may do."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

ADMINISTRATORS = "Administrators"
MODERATORS = "Moderators"
ROOM_MANAGERS = "Room managers"
SUPPORT = "Support (read only)"

_APPS = ("accounts", "chat", "auth")
_LOOK = ("view_room", "view_membership", "view_message", "view_roomevent", "view_user", "view_sanction")
_GROUPS: dict[str, tuple[str, ...]] = {
    MODERATORS: (
        *_LOOK, "view_report", "view_evidence", "view_heldmessage", "view_automodhit", "view_automodrule",
        "view_messagerevision", "moderate_messages", "sanction_users", "handle_reports", "view_audit",
        "view_moderationaction",
    ),
    ROOM_MANAGERS: (*_LOOK, "change_room", "assign_room_roles"),
    SUPPORT: (*_LOOK, "view_report", "view_heldmessage", "view_automodhit", "view_automodrule"),
}  # fmt: skip
NAMES = frozenset({ADMINISTRATORS, *_GROUPS})


def make_groups(**_: object) -> None:
    """Makes the groups that are missing, with their permissions; after ``migrate``.

    A group that is there keeps what was changed in it, but Administrators always hold everything.
    """
    everything = Permission.objects.filter(content_type__app_label__in=_APPS)
    if not everything.filter(codename="view_audit").exists():
        return  # the permissions of our models are made later in the same signal
    administrators, _made = Group.objects.get_or_create(name=ADMINISTRATORS)
    administrators.permissions.add(*everything)
    for name, codenames in _GROUPS.items():
        group, made = Group.objects.get_or_create(name=name)
        if made:
            group.permissions.set(_of(codenames))


def _of(codenames: Iterable[str]) -> Iterable[Permission]:
    return Permission.objects.filter(Q(codename__in=codenames), content_type__app_label__in=_APPS)
