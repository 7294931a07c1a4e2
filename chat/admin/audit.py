"""The audit: a list that is never changed, a page for each action, and taking it back."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from chat import access
from chat.actions.undo import KINDS, REGISTRY, describe, undo_action
from chat.admin.base import DeskAdmin, attempt, may_any, number_of, sent, staff
from chat.admin.exporting import FORMS, export
from chat.admin.filters import PICK_MEDIA, AtFilter, pick
from chat.admin.forms import NoteForm, why_of
from chat.admin.states import changes
from chat.models import ModerationAction


class KindFilter(admin.SimpleListFilter):
    """What was done; ``auto`` is what automod did."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KINDS.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ModerationAction]
    ) -> QuerySet[ModerationAction]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(ModerationAction)
class AuditAdmin(DeskAdmin):
    change_list_template = "admin/desk/audit_list.html"
    list_display = ("id", "at", "who", "what", "subject", "room", "category", "taken_back")
    list_display_links = ("id", "at", "what")
    list_filter = (
        KindFilter, pick("actor", "actor"), pick("room", "room"), pick("person", "subject"), AtFilter,
    )  # fmt: skip
    list_select_related = ("actor", "subject", "room", "undone_by")
    search_fields = ("=id", "=target", "=request_id")
    search_help_text = "A number, a target such as message:12, or a request's id."
    ordering = ("-id",)
    sortable_by = ()

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_any(request, access.AUDIT)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"export.{form}", self.admin_site.admin_view(self.export), {"form": form}, f"audit_{form}")
            for form in FORMS
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = request.GET.urlencode()
        exports = [(form, f"{reverse(f'admin:audit_{form}')}{'?' if query else ''}{query}") for form in FORMS]
        return super().changelist_view(request, {"exports": exports} | (extra_context or {}))

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The list as it is filtered, in a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen: Any = self.get_changelist_instance(request)
        return export(staff(request), chosen.queryset, form=form, chosen=request.GET.dict())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One action, with what was before and after it, and the button that takes it back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related(
            "actor", "subject", "room", "undone_by__actor", "note"
        )
        action = rows.filter(pk=number_of(object_id)).first()
        if action is None:
            raise Http404
        form = NoteForm(sent(request))
        if request.method == "POST" and attempt(
            request, form, lambda data: undo_action(staff(request), action.pk, why=why_of(data))
        ):
            messages.success(request, f"Taken back: {describe(action).lower()}.")
            return redirect(request.get_full_path())
        undone = getattr(action, "undone_by", None)
        own = {
            "action": action,
            "what": describe(action),
            "changes": changes(action),
            "note": getattr(action, "note", None),
            "undone": undone,
            "digest": bytes(action.digest).hex(),
            "can_undo": undone is None and action.kind in REGISTRY,
            "form": form,
        }
        return self.page(request, "action", f"Action #{action.pk}", own)

    @admin.display(description="who")
    def who(self, action: ModerationAction) -> str:
        return action.actor.display_name if action.actor else "Automod"

    @admin.display(description="what")
    def what(self, action: ModerationAction) -> str:
        return describe(action)

    @admin.display(description="taken back", empty_value="")
    def taken_back(self, action: ModerationAction) -> str | None:
        undone = getattr(action, "undone_by", None)
        return f"by #{undone.pk}" if undone else None
