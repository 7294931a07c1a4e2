"""The groups of staff. People get them by ``chat.actions.rights``; what a group holds, superusers say."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from chat.roles import NAMES

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Who may change a group could give themselves everything: so only those who hold everything may."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.view_group")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_root(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_root(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not those that are made after every migrate, and never all at once."""
        return _is_root(request) and obj is not None and obj.name not in NAMES

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Their names are how they are found again."""
        return ("name",) if obj is not None and obj.name in NAMES else ()


def _is_root(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
