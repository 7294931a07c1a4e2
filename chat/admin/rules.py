"""The rules of automod: written here, tried before they go live."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from chat import access
from chat.actions.looking import look_into
from chat.actions.rules import RuleFields, save_rule
from chat.actions.ruleset import words_of
from chat.actions.trying import Trial, try_rule
from chat.admin.acting import ActingAdmin
from chat.admin.base import add_refusal, in_reach, number_of, staff
from chat.admin.base import words_of as words_of_refusal
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.forms import NoteForm, ReasonedForm, why_of
from chat.admin.queues import StateFilter
from chat.audit import Why
from chat.models import AutomodRule, RuleKind
from chatproject.errors import AppError

TRY = "_try"
SHOWN = 50
PLAIN = ("name", "kind", "action", "words", "pattern", "threshold", "seconds", "mute_minutes", "live")


class RuleForm(ReasonedForm):
    """What a rule says; which fields count depends on its kind."""

    class Meta:
        model = AutomodRule
        fields = (
            "name",
            "room",
            "kind",
            "words",
            "pattern",
            "threshold",
            "seconds",
            "action",
            "mute_minutes",
            "live",
        )
        help_texts = {
            "pattern": "RE2, case does not count. Only for a pattern.",
            "threshold": "How many: mentions, emoji, repetitions, messages, or first messages.",
            "seconds": "In how long a time: for repetition and floods.",
            "mute_minutes": "Only where the author is muted.",
            "live": "In force with the next message. Try it first.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("category", "threshold", "seconds", "mute_minutes"):
            self.fields.get(name, forms.Field()).required = False
        self.fields.pop("category", None)

    def rule(self) -> RuleFields:
        """What the fields say, for the actions."""
        data = self.cleaned_data
        room = data.get("room")
        given = {name: data[name] for name in PLAIN}
        given |= {name: given[name] or 0 for name in ("threshold", "seconds")}
        given["mute_minutes"] = given["mute_minutes"] or 10
        return RuleFields(
            **given, room_id=room.pk if room else None, removed=self.instance.removed_at is not None
        )

    def carry_out(self, data: dict[str, Any]) -> AutomodRule:
        return save_rule(self.actor, self.instance.pk, self.rule(), why=why_of(data))


class RuleStateFilter(StateFilter):
    """Those that are there, unless others are asked for."""

    states = (("live", "Live"), ("resting", "Resting"), ("removed", "Removed"))
    waiting_label = "Live and resting"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AutomodRule]) -> QuerySet[AutomodRule]:
        match self.value():
            case "live":
                return queryset.filter(live=True)
            case "resting":
                return queryset.filter(live=False, removed_at__isnull=True)
            case "removed":
                return queryset.filter(removed_at__isnull=False)
            case "all":
                return queryset
        return queryset.filter(removed_at__isnull=True)


def _put(*, live: bool, removed: bool) -> Any:
    def run(user: User, rule: AutomodRule, why: Why) -> object:
        given = {name: getattr(rule, name) for name in PLAIN if name != "live"}
        return save_rule(
            user, rule.pk, RuleFields(**given, room_id=rule.room_id, live=live, removed=removed), why=why
        )

    return run


def _foresee_live(rule: AutomodRule) -> tuple[bool, str]:
    if rule.removed_at is not None:
        return True, "It is given back, and in force with the next message."
    return (False, "It is live already.") if rule.live else (True, "In force with the next message.")


def _foresee_rest(rule: AutomodRule) -> tuple[bool, str]:
    return (True, "It looks at no message any more.") if rule.live else (False, "It rests already.")


def _foresee_remove(rule: AutomodRule) -> tuple[bool, str]:
    if rule.removed_at is not None:
        return False, "It is removed already."
    return True, "It looks at no message any more. It can be given back."


@admin.register(AutomodRule)
class RuleAdmin(BulkAdmin, ActingAdmin):
    form = RuleForm
    change_form_template = "admin/desk/rule.html"
    seen_with = (access.AUTOMOD,)
    changed_with = added_with = (access.AUTOMOD,)
    list_display = ("name", "kind", "looks_for", "place", "action", "state")
    list_filter = (RuleStateFilter, "kind", "action")
    list_select_related = ("room",)
    search_fields = ("name", "words", "pattern")
    autocomplete_fields = ("room",)
    ordering = ("name", "id")
    fieldsets = (
        (None, {"fields": ("name", "room", "kind")}),
        ("What it looks for", {"fields": ("words", "pattern", "threshold", "seconds")}),
        ("What then happens", {"fields": ("action", "mute_minutes")}),
        (None, {"fields": ("live", "text")}),
    )
    bulks = (
        Bulk("live", "Make live", "Make live", "These rules look at every message from now on.",
             _put(live=True, removed=False), _foresee_live, access.AUTOMOD, NoteForm),
        Bulk("rest", "Let rest", "Let rest", "These rules stop.",
             _put(live=False, removed=False), _foresee_rest, access.AUTOMOD, NoteForm),
        Bulk("remove", "Remove", "Remove", "These rules go. What they found stays.",
             _put(live=False, removed=True), _foresee_remove, access.AUTOMOD, NoteForm),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[AutomodRule]:
        return super().get_queryset(request).filter(in_reach(staff(request)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those who only look have no note to write."""
        may = self.has_change_permission(request, obj)
        return self.fieldsets if may else (*self.fieldsets[:-1], (None, {"fields": ("live",)}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """The admin's own page, or the same with what the rule would have matched."""
        if request.method == "POST" and TRY in request.POST:
            return self._tried(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _tried(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        rule = self.get_queryset(request).filter(pk=number_of(object_id)).first() if object_id else None
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        form.is_dry = True
        trial = _trial(staff(request), form)
        fieldsets = self.get_fieldsets(request, rule)
        shown = AdminForm(form, list(fieldsets), {}, (), model_admin=self)
        context = {
            **self.admin_site.each_context(request),
            "title": "Try the rule", "adminform": shown, "original": rule, "object_id": object_id,
            "is_popup": False, "to_field": None, "media": self.media + shown.media,
            "inline_admin_formsets": [], "errors": form.errors, "preserved_filters": "",
            "trial": trial, "matched": trial.matched[:SHOWN] if trial else [],
        }  # fmt: skip
        return self.render_change_form(request, context, add=rule is None, change=rule is not None, obj=rule)

    @admin.display(description="looks for")
    def looks_for(self, rule: AutomodRule) -> str:
        words = words_of(rule)
        if rule.kind in {RuleKind.WORDS, RuleKind.LINKS_DENIED, RuleKind.LINKS_ALLOWED}:
            return f"{', '.join(words[:4])}{f' and {len(words) - 4:,} more' if len(words) > 4 else ''}"
        if rule.kind == RuleKind.PATTERN:
            return rule.pattern
        return f"{rule.threshold} in {rule.seconds} s" if rule.seconds else str(rule.threshold)

    @admin.display(description="where")
    def place(self, rule: AutomodRule) -> str:
        return rule.room.name if rule.room else "all rooms"

    @admin.display(description="state")
    def state(self, rule: AutomodRule) -> str:
        return "Removed" if rule.removed_at else ("Live" if rule.live else "Resting")


def _trial(user: User, form: Any) -> Trial | None:
    """What the rule would have matched; None when the form says what is wrong with it."""
    if not form.is_valid():
        return None
    try:
        trial = try_rule(user, form.rule())
        room = form.cleaned_data.get("room")
        if room is not None:  # what it matched is shown
            look_into(user, room, at=f"room:{room.pk}")
        return trial
    except AppError as refusal:
        add_refusal(form, refusal)
        if not refusal.fields:
            form.add_error(None, words_of_refusal(refusal))
        return None
