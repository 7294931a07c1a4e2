"""The queue of reports, and a page for each."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html

from accounts.models import User
from chat import access
from chat.actions.looking import look_into
from chat.actions.reports import assign_report, decide_report
from chat.admin.base import in_reach, number_of, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.admin.forms import NoteForm
from chat.admin.queues import QueueAdmin, StateFilter
from chat.admin.report_page import ReportPage
from chat.audit import Why
from chat.models import Outcome, Report, ReportState
from chatproject.errors import AppError


class ReportStateFilter(StateFilter):
    """Those that wait, unless others are asked for."""

    states = ReportState.choices
    waiting = (ReportState.OPEN, ReportState.ASSIGNED)


class MineFilter(admin.SimpleListFilter):
    """Who has it."""

    title = "assignee"
    parameter_name = "with"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Assigned to me"), ("nobody", "Assigned to nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        if self.value() == "me":
            return queryset.filter(assignee=staff(request))
        return queryset.filter(assignee__isnull=True) if self.value() == "nobody" else queryset


def _decide(outcome: str) -> Any:
    def run(user: User, report: Report, why: Why) -> object:
        return decide_report(user, report.pk, outcome=outcome, why=why)

    return run


def _foresee(outcome: str) -> Any:
    def foresee(report: Report) -> tuple[bool, str]:
        if report.state == ReportState.DECIDED:
            by = report.decided_by.display_name if report.decided_by else "someone"
            return False, f"Decided already by {by}: {report.get_outcome_display().lower()}."
        told = "Its reporter is told." if report.reporter_id else "Automod reported it; nobody is told."
        if not report.hid:
            return True, told
        return (
            True,
            f"{told} The hidden message {'stays hidden' if outcome == Outcome.UPHELD else 'comes back'}.",
        )

    return foresee


def _foresee_mine(report: Report) -> tuple[bool, str]:
    if report.state == ReportState.DECIDED:
        return False, "Decided already."
    return True, f"Taken over from {report.assignee}." if report.assignee_id else "Becomes yours."


@admin.register(Report)
class ReportAdmin(QueueAdmin, BulkAdmin):
    queue = "reports"
    seen_with = (access.HANDLE_REPORTS,)
    list_display = ("about", "category", "place", "subject", "reported_by", "state", "assignee", "created_at")
    list_filter = (
        ReportStateFilter, MineFilter, "category", pick("room", "room"), pick("person", "subject"), DayFilter,
    )  # fmt: skip
    list_select_related = ("room", "subject", "reporter", "assignee", "rule", "decided_by")
    search_fields = ("=id", "subject__display_name", "reporter__display_name")
    ordering = ("-id",)
    sortable_by = ("about",)
    bulks = (
        Bulk(
            "take", "Assign to me", "Assign to me", "You have these reports then; others see that.",
            lambda user, report, _: assign_report(user, report.pk, assignee=user),
            _foresee_mine, access.HANDLE_REPORTS, NoteForm,
        ),
        Bulk(
            "uphold", "Decide: upheld", "Uphold", "These reports are right. Nothing else is done about them.",
            _decide(Outcome.UPHELD), _foresee(Outcome.UPHELD), access.HANDLE_REPORTS, NoteForm,
        ),
        Bulk(
            "dismiss", "Decide: dismissed", "Dismiss", "These reports are not right.",
            _decide(Outcome.DISMISSED), _foresee(Outcome.DISMISSED), access.HANDLE_REPORTS, NoteForm,
        ),
    )  # fmt: skip

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).filter(in_reach(staff(request)))

    def bulk_rows(self, request: HttpRequest) -> QuerySet[Report]:
        return self.get_queryset(request).select_related(*self.list_select_related, "message")

    def bulk_words(self, request: HttpRequest, row: Report) -> str:
        if row.room is not None and row.room.is_private:
            return f"{row.get_category_display()}, in a private room"
        said = row.message.body if row.message and not row.message.deleted_at else row.text
        return f"{row.get_category_display()}: {said}" if said else row.get_category_display()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The report's own page; opening one of a private room is a look into it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related(
            "room", "subject", "reporter", "assignee", "decided_by"
        )
        found = rows.select_related("message__author", "message__room", "evidence__author", "rule").filter(
            pk=number_of(object_id)
        )
        report = found.first()
        if report is None:
            raise Http404
        try:
            if report.room is not None:
                look_into(staff(request), report.room, at=f"report:{report.pk}")
        except AppError as refusal:
            raise Http404 from refusal
        return ReportPage(self, request, report).answer()

    @admin.display(description="report", ordering="id")
    def about(self, report: Report) -> str:
        what = "Message" if report.message_id else ("Person" if report.subject_id else "Room")
        return f"{what} #{report.pk}"

    @admin.display(description="where")
    def place(self, report: Report) -> str:
        return report.room.name if report.room else "everywhere"

    @admin.display(description="reported by")
    def reported_by(self, report: Report) -> str:
        if report.reporter is not None:
            return report.reporter.display_name
        return format_html("Automod: {}", report.rule.name) if report.rule else "Automod"
