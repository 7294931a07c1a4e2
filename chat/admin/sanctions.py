"""Sanctions: who has been forbidden what, by whom and until when; new ones, and lifting."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from chat import access
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.admin.acting import ActingAdmin
from chat.admin.base import attempt, in_reach, may_any, number_of, sent, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.admin.forms import LASTS, NoteForm, ReasonedForm, until, why_of
from chat.admin.numbers import LASTING
from chat.admin.queues import StateFilter
from chat.models import Sanction, SanctionKind
from chat.models.reason import reason_given
from chatproject.database import ClockTimestamp

STATES = [("over", "Over"), ("lifted", "Lifted")]


class InForceFilter(StateFilter):
    """Those in force, unless others are asked for."""

    states = STATES
    waiting_label = "In force"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> QuerySet[Sanction]:
        value = self.value()
        if value == "lifted":
            return queryset.filter(lifted_at__isnull=False)
        if value == "over":
            return queryset.filter(lifted_at__isnull=True, ends_at__lte=Now())
        if value == "all":
            return queryset
        return queryset.filter(LASTING, lifted_at__isnull=True)


class NewSanctionForm(ReasonedForm):
    """Of whom, where, what, why, and for how long."""

    lasts = forms.ChoiceField(
        label="How long",
        initial="1d",
        choices=[(key, words) for key, (words, _) in LASTS.items()],
        help_text="A warning has no end: it forbids nothing.",
    )
    field_order = ("user", "room", "kind", "lasts", "category", "text")

    class Meta:
        model = Sanction
        fields = ("user", "room", "kind", "category")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].help_text = "Empty: everywhere."
        self.fields["text"].label = "In your words"
        self.fields["text"].help_text = "The person reads this."

    def carry_out(self, data: dict[str, Any]) -> Sanction:
        is_warning = data["kind"] == SanctionKind.WARN
        room = data["room"]
        return sanction_person(
            self.actor,
            data["user"].pk,
            kind=data["kind"],
            room_id=room.pk if room else None,
            why=why_of(data),
            until=None if is_warning else until(data["lasts"]),
        )


def _foresee(sanction: Sanction) -> tuple[bool, str]:
    if sanction.lifted_at is not None:
        by = sanction.lifted_by.display_name if sanction.lifted_by else "someone"
        return False, f"Lifted already by {by}."
    if _is_over(sanction):
        return False, "It is over already."
    return True, "It ends now; the person is told."


@admin.register(Sanction)
class SanctionAdmin(BulkAdmin, ActingAdmin):
    form = NewSanctionForm
    seen_with = (access.SANCTION,)
    added_with = (access.SANCTION,)
    list_display = ("user", "kind", "place", "why", "by", "created_at", "ends", "standing")
    list_select_related = ("user", "room", "by", "lifted_by")
    list_filter = (InForceFilter, "kind", pick("room", "room"), pick("person", "user"), DayFilter)
    search_fields = ("=id", "user__display_name", "user__username")
    autocomplete_fields = ("user", "room")
    fields = ("user", "room", "kind", "lasts", "category", "text")
    ordering = ("-id",)
    sortable_by = ()
    bulks = (
        Bulk(
            "lift", "Lift", "Lift", "These sanctions end now.",
            lambda user, sanction, why: lift_sanction(user, sanction.pk, why=why),
            _foresee, access.SANCTION, NoteForm,
        ),
    )  # fmt: skip

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sanction]:
        rows: QuerySet[Sanction] = super().get_queryset(request).filter(in_reach(staff(request)))
        return rows.annotate(now=ClockTimestamp())

    def bulk_rows(self, request: HttpRequest) -> QuerySet[Sanction]:
        return self.get_queryset(request).select_related(*self.list_select_related)

    def bulk_words(self, request: HttpRequest, row: Sanction) -> str:
        return f"{row.get_kind_display()} of {row.user}, {self.place(row)}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One sanction, and the button that lifts it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sanction = self.bulk_rows(request).filter(pk=number_of(object_id)).first()
        if sanction is None:
            raise Http404
        form = NoteForm(sent(request))
        if request.method == "POST":
            if not may_any(request, access.SANCTION):
                raise PermissionDenied
            if attempt(
                request, form, lambda data: lift_sanction(staff(request), sanction.pk, why=why_of(data))
            ):
                messages.success(request, "The sanction is lifted.")
                return redirect(request.get_full_path())
        can_lift, _ = _foresee(sanction)
        own = {
            "sanction": sanction,
            "place": self.place(sanction),
            "why": self.why(sanction),
            "standing": self.standing(sanction),
            "can_lift": can_lift and may_any(request, access.SANCTION),
            "form": form,
        }
        return self.page(request, "sanction", f"{sanction.get_kind_display()} of {sanction.user}", own)

    def response_add(
        self, request: HttpRequest, obj: Sanction, post_url_continue: Any = None
    ) -> HttpResponse:
        who: User = obj.user
        messages.success(request, f"In force: {obj.get_kind_display().lower()} of {who}.")
        return redirect("admin:chat_sanction_changelist")

    @admin.display(description="where")
    def place(self, sanction: Sanction) -> str:
        return sanction.room.name if sanction.room else "everywhere"

    @admin.display(description="reason")
    def why(self, sanction: Sanction) -> str:
        return reason_given(sanction.category, sanction.reason)

    @admin.display(description="until", empty_value="for ever")
    def ends(self, sanction: Sanction) -> Any:
        return sanction.ends_at

    @admin.display(description="now")
    def standing(self, sanction: Sanction) -> str:
        if sanction.lifted_at is not None:
            return "Lifted"
        return "Over" if _is_over(sanction) else "In force"


def _is_over(sanction: Sanction) -> bool:
    """By the database's clock, read with the row."""
    return sanction.ends_at is not None and bool(sanction.ends_at <= sanction.__dict__["now"])
