"""Messages: a list that costs the same at any length, a page for each, removal and restoring."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import Truncator

from accounts.models import User
from accounts.names import skeleton
from chat import access
from chat.actions.looking import look_into
from chat.actions.messages import delete_message, restore_message
from chat.admin.base import attempt, may_any, number_of, sent, shown_text, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.context import around
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.admin.forms import ReasonForm, why_of
from chat.models import Message, MessageRevision, ModerationAction, Report, Room, RoomKind
from chatproject.errors import AppError

DEEDS = {"remove": delete_message, "restore": restore_message}


class AuthorFilter(pick("person", "author")):  # type: ignore[misc]  # a class that is made
    """By the index of authors in rooms; there is none of authors alone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        found: QuerySet[Message] = super().queryset(request, queryset)
        return found.filter(room__in=Room.objects.values("pk")) if self.value() else found


class GoneFilter(admin.SimpleListFilter):
    """Those that were taken away; there is an index of them."""

    title = "removed"
    parameter_name = "gone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Removed"), ("no", "In the room")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


def _foresee_removal(message: Message) -> tuple[bool, str]:
    if message.deleted_at is not None and message.deleted_by_id != message.author_id:
        return False, "It is removed already."
    return True, "Gone for everyone in the room; it can be restored."


def _foresee_return(message: Message) -> tuple[bool, str]:
    return (True, "Back in its place.") if message.deleted_at else (False, "It is in the room already.")


@admin.register(Message)
class MessageAdmin(BulkAdmin):
    seen_with = (access.MODERATE,)
    list_display = ("excerpt", "author", "room", "created_at", "edited_at", "removed")
    list_filter = (pick("room", "room"), AuthorFilter, GoneFilter, DayFilter)
    list_select_related = ("room", "author", "deleted_by")
    search_fields = ("id",)
    search_help_text = "A message's number, or the whole name of its author. Private rooms: choose the room."
    ordering = ("-id",)
    sortable_by = ()
    bulks = (
        Bulk(
            "take_away", "Remove", "Remove", "These messages go. Their authors are told, with the reason.",
            lambda user, message, why: delete_message(user, message.pk, why=why),
            _foresee_removal, access.MODERATE,
        ),
        Bulk(
            "bring_back", "Restore", "Restore", "These messages come back.",
            lambda user, message, why: restore_message(user, message.pk, why=why),
            _foresee_return, access.MODERATE,
        ),
    )  # fmt: skip

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Those of rooms that are not private, or those of the one private room that is looked into."""
        rows: QuerySet[Message] = super().get_queryset(request).defer("html")
        room = self._looked_into(request)
        if room is not None:
            return rows.filter(room=room)
        return rows.exclude(room__in=Room.objects.filter(kind=RoomKind.PRIVATE))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The newest first, by what an index finds: the ids of a quiet room lie far apart."""
        if request.GET.get("room"):
            return ("-seq",)
        return ("-created_at", "-id") if request.GET.get("author") or request.GET.get("q") else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By number or by the author's whole name: both have an index, words in the text have none."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isdecimal():
            return queryset.filter(pk=term[:18]), False
        named = User.objects.filter(Q(username=term.lower()) | Q(name_skeleton=skeleton(term)))
        return queryset.filter(author__in=list(named[:50])), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; filtered to a private room it is a look into it."""
        room = self._looked_into(request)
        if room is not None and self.has_view_permission(request):
            look_into(staff(request), room, at=f"room:{room.pk}")
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The message among its neighbours; one of a private room is a look into it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Message.objects.select_related("author", "room", "deleted_by")
        message = rows.filter(pk=number_of(object_id)).first()
        if message is None:
            raise Http404
        try:
            look_into(staff(request), message.room, at=f"message:{message.pk}")
        except AppError as refusal:
            raise Http404 from refusal
        form = ReasonForm(sent(request))
        if request.method == "POST" and self._do(request, message, form):
            return redirect(request.get_full_path())
        return self.page(request, "message", f"Message #{message.pk}", _context(message, form, request))

    def _do(self, request: HttpRequest, message: Message, form: forms.Form) -> bool:
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None or not may_any(request, access.MODERATE):
            raise PermissionDenied
        if not attempt(request, form, lambda data: deed(staff(request), message.pk, why=why_of(data))):
            return False
        messages.success(
            request, "The message is removed." if deed is delete_message else "The message is back."
        )
        return True

    def _looked_into(self, request: HttpRequest) -> Room | None:
        """The private room that the list is filtered to, if the reader may look into it."""
        number = request.GET.get("room", "")
        if not number.isdecimal():
            return None
        return access.rooms_reached_by(staff(request)).filter(pk=number, kind=RoomKind.PRIVATE).first()

    def bulk_words(self, request: HttpRequest, row: Message) -> str:
        return f"{row.author}: {self.excerpt(row)}"

    @admin.display(description="message")
    def excerpt(self, message: Message) -> str:
        return f"#{message.pk}" if message.deleted_at else Truncator(message.body).chars(120)

    @admin.display(description="removed by")
    def removed(self, message: Message) -> str:
        if message.deleted_at is None:
            return ""
        return message.deleted_by.display_name if message.deleted_by else "hidden by the system"


def _context(message: Message, form: forms.Form, request: HttpRequest) -> dict[str, Any]:
    user = staff(request)
    text = shown_text(message, user)
    revisions = MessageRevision.objects.filter(message=message).order_by("id")
    reports = Report.objects.filter(message=message).select_related("reporter")
    actions = ModerationAction.objects.filter(target=f"message:{message.pk}").select_related("actor")
    may_see_edits = text is not None and may_any(request, "chat.view_messagerevision")
    return {
        "message": message,
        "text": text,
        "lines": around(message, user),
        "revisions": revisions[:20] if may_see_edits else [],
        "reports": reports[:20] if may_any(request, "chat.view_report", access.HANDLE_REPORTS) else [],
        "actions": actions.order_by("-id")[:20] if may_any(request, access.AUDIT) else [],
        "may_moderate": may_any(request, access.MODERATE),
        "form": form,
    }
