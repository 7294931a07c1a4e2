"""What all pages of the desk share. They show; changes go through actions."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse

from accounts.models import User
from chat import access
from chat.admin.paging import BoundedPaginator
from chat.models import Message
from chatproject.errors import AppError, Code

# The stubs' generics do not exist when the program runs.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class DeskAdmin(ModelAdmin):
    """A model that staff look at and that only actions change.

    ``seen_with`` are permissions any of which opens it, beside Django's own ``view_…``.
    """

    seen_with: tuple[str, ...] = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_any(request, *self.seen_with) or super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) or super().has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Looks for what is kept, which is in NFC."""
        return super().get_search_results(request, queryset, unicodedata.normalize("NFC", search_term))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, called what it is."""
        title = {"title": str(self.opts.verbose_name_plural).capitalize()}
        return super().changelist_view(request, title | (extra_context or {}))

    def page(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        context: Mapping[str, Any],
        *,
        status: int = 200,
    ) -> TemplateResponse:
        """One of our own pages, in the admin's frame."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/desk/{template}.html", {**frame, **context}, status=status)


def staff(request: HttpRequest) -> User:
    """The signed-in member of staff."""
    assert isinstance(request.user, User)  # noqa: S101 - the admin site lets nobody else in
    return request.user


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def may_any(request: HttpRequest, *permissions: str) -> bool:
    """Whether the reader holds one of ``permissions``."""
    return any(request.user.has_perm(permission) for permission in permissions)


def number_of(object_id: Any) -> int:
    """A row's id from a link. Raises Http404."""
    try:
        return int(object_id)
    except (TypeError, ValueError):
        raise Http404 from None


def in_reach(user: User, *, room: str = "room") -> Q:
    """Rows about no room, or about one that ``user`` may look after. ``room`` leads to it."""
    return Q(**{f"{room}__isnull": True}) | Q(**{f"{room}__in": access.rooms_reached_by(user)})


def attempt(request: HttpRequest, form: forms.BaseForm, act: Callable[[dict[str, Any]], object]) -> bool:
    """Calls ``act`` with what ``form`` says, if it is valid; what is refused is told at the fields."""
    if not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except AppError as refusal:
        add_refusal(form, refusal)
        messages.error(request, words_of(refusal))
        return False
    return True


def add_refusal(form: forms.BaseForm, refusal: AppError) -> None:
    """A refusal as errors of the fields that it names, where the form has them."""
    fields = refusal.fields or {}
    for name, words in fields.items():
        form.add_error(_FIELDS.get(name, name) if _FIELDS.get(name, name) in form.fields else None, words)
    if not fields:
        form.add_error(None, refusal.message)


def words_of(refusal: AppError) -> str:
    """A refusal in one line."""
    if not refusal.fields or refusal.code != Code.INVALID:
        return refusal.message
    return " ".join(word for words in refusal.fields.values() for word in words)


def shown_text(message: Message, user: User) -> str | None:
    """The text of a message for the desk: None for one that is gone.

    What a moderator or a rule took away, moderators still see, so that they can judge it and bring it back;
    what its author took back, nobody does.
    """
    if message.deleted_at is None:
        return message.body
    if message.deleted_by_id != message.author_id and user.has_perm(access.MODERATE):
        return message.body
    return None


# The fields of forms that are called otherwise than those of actions.
_FIELDS = {"room_id": "room", "until": "lasts", "reason": "text", "slow_mode": "slow_mode_seconds"}
