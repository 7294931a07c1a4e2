"""Admin pages with a form whose saving is an action; see ``chat.admin.forms.ActionForm``."""

from typing import Any

from django.http import HttpRequest

from chat.admin.base import DeskAdmin, staff
from chat.admin.forms import ActionForm


class ActingAdmin(DeskAdmin):
    """The admin's own add and change pages; nothing is saved but by the form's action.

    ``changed_with`` and ``added_with`` are permissions any of which is enough.
    """

    changed_with: tuple[str, ...] = ()
    added_with: tuple[str, ...] = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(permission) for permission in self.changed_with)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(permission) for permission in self.added_with)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return (
            type(form.__name__, (form,), {"actor": staff(request)}) if issubclass(form, ActionForm) else form
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's action has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The form's action has saved it."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """What the form says: the rows below it are only shown, and were never saved."""
        message: list[dict[str, Any]] = super().construct_change_message(request, form, [], add)
        return message
