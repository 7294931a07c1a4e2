"""The queue of messages that wait for a moderator."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import Truncator

from accounts.models import User
from chat import access
from chat.actions.holding import approve_held, reject_held
from chat.actions.looking import look_into
from chat.admin.base import attempt, in_reach, may_any, number_of, sent, shown_text, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.context import AROUND, Line, history
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.admin.forms import NoteForm, ReasonForm, why_of
from chat.admin.queues import QueueAdmin, StateFilter
from chat.models import HeldMessage, HeldState, Message
from chatproject.errors import AppError

DEEDS = {"approve": approve_held, "reject": reject_held}


class HeldStateFilter(StateFilter):
    """Those that wait, unless others are asked for."""

    states = HeldState.choices
    waiting = (HeldState.WAITING,)


def _foresee(words: str) -> Any:
    def foresee(held: HeldMessage) -> tuple[bool, str]:
        if held.state == HeldState.WAITING:
            return True, words
        by = held.decided_by.display_name if held.decided_by else "someone"
        return False, f"Decided already by {by}: {held.get_state_display().lower()}."

    return foresee


def _why_held(held: HeldMessage) -> str:
    return f"Automod: {held.rule.name}" if held.rule else "Guests write after approval"


@admin.register(HeldMessage)
class HeldAdmin(QueueAdmin, BulkAdmin):
    queue = "held"
    seen_with = (access.MODERATE,)
    list_display = ("excerpt", "author", "room", "why_held", "state", "created_at", "decided_by")
    list_filter = (HeldStateFilter, pick("room", "room"), pick("person", "author"), DayFilter)
    list_select_related = ("author", "room", "rule", "decided_by")
    search_fields = ("=id", "author__display_name")
    ordering = ("-id",)
    sortable_by = ("excerpt",)
    bulks = (
        Bulk(
            "approve", "Let in", "Let in", "These messages come into their rooms, at the end.",
            lambda user, held, why: approve_held(user, held.pk, why=why),
            _foresee("Everyone in the room sees it; its author is told."), access.MODERATE, NoteForm,
        ),
        Bulk(
            "reject", "Keep out", "Keep out", "These messages stay out. Their authors are told why.",
            lambda user, held, why: reject_held(user, held.pk, why=why),
            _foresee("Nobody sees it; its author is told."), access.MODERATE,
        ),
    )  # fmt: skip

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[HeldMessage]:
        return super().get_queryset(request).filter(in_reach(staff(request)))

    def bulk_rows(self, request: HttpRequest) -> QuerySet[HeldMessage]:
        return self.get_queryset(request).select_related(*self.list_select_related)

    def bulk_words(self, request: HttpRequest, row: HeldMessage) -> str:
        return f"{row.author}: {self.excerpt(row)}"

    @admin.display(description="message", ordering="id")
    def excerpt(self, held: HeldMessage) -> str:
        if held.room.is_private:
            return f"#{held.pk} in a private room: open it to read it"
        return Truncator(held.body).chars(120)

    @admin.display(description="held because")
    def why_held(self, held: HeldMessage) -> str:
        return _why_held(held)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The message's own page; opening one of a private room is a look into it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        held = self.bulk_rows(request).filter(pk=number_of(object_id)).first()
        if held is None:
            raise Http404
        try:
            look_into(staff(request), held.room, at=f"held:{held.pk}")
        except AppError as refusal:
            raise Http404 from refusal
        form = ReasonForm(sent(request))
        if request.method == "POST" and self._decide(request, held, form):
            return redirect(request.get_full_path())
        return self.page(request, "held", f"Held message #{held.pk}", _context(held, form, staff(request)))

    def _decide(self, request: HttpRequest, held: HeldMessage, form: forms.Form) -> bool:
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None or not may_any(request, access.MODERATE):
            raise PermissionDenied
        if not attempt(request, form, lambda data: deed(staff(request), held.pk, why=why_of(data))):
            return False
        messages.success(request, "It is in the room." if deed is approve_held else "It stays out.")
        return True


def _context(held: HeldMessage, form: forms.Form, user: User) -> dict[str, Any]:
    before: list[Message] = []
    if user.has_perm("chat.view_message"):
        last = held.message.seq if held.message else held.room.last_seq + 1
        before = (
            Message.objects.filter(room=held.room)
            .select_related("author", "deleted_by")
            .page_before(last, AROUND)
        )
    return {
        "held": held,
        "why_held": _why_held(held),
        "is_waiting": held.state == HeldState.WAITING,
        "may_decide": user.has_perm(access.MODERATE),
        "form": form,
        "lines": [Line(message, shown_text(message, user)) for message in before],
        "person": held.author,
        "history": history(held.author, user),
    }
