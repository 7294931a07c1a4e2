"""The page of one report: what was said around it, what is known of the person, and what can be done."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chat import access
from chat.actions.messages import delete_message, restore_message
from chat.actions.reports import assign_report, decide_report, may_decide
from chat.actions.sanctions import sanction_person
from chat.admin.base import DeskAdmin, attempt, may_any, staff
from chat.admin.context import around, history
from chat.admin.forms import AssigneeForm, NoteForm, ReasonForm, SanctionForm, why_of
from chat.models import Outcome, Report, ReportState

Deed = Callable[[dict[str, Any]], object]


class ReportPage:
    """One request for the page: shows it, or does what a button says and leads back to it."""

    def __init__(self, admin: DeskAdmin, request: HttpRequest, report: Report) -> None:
        self.admin, self.request, self.report = admin, request, report
        self.user = staff(request)
        self.may_decide = may_decide(self.user, report)
        self.may_moderate = may_any(request, access.MODERATE)
        self.may_sanction = may_any(request, access.SANCTION)
        self.forms: dict[str, forms.Form] = {}

    def answer(self) -> HttpResponse:
        """The page, or after a button the way back to it."""
        if self.request.method == "POST" and self._do(self.request.POST.get("do", "")):
            return redirect(self.request.get_full_path())
        return self.admin.page(self.request, "report", f"Report #{self.report.pk}", self._context())

    def _do(self, name: str) -> bool:
        """Whether it is done; if not, its form says why."""
        if not (self.may_decide or self.may_moderate or self.may_sanction):
            raise PermissionDenied
        deed = self._deeds().get(name)
        if deed is None:
            messages.error(self.request, "There is no such button here.")
            return True
        form, run, said = deed
        self.forms[name] = form
        if not attempt(self.request, form, run):
            return False
        messages.success(self.request, said)
        return True

    def _deeds(self) -> dict[str, tuple[forms.Form, Deed, str]]:
        user, report, sent = self.user, self.report, self.request.POST
        outcome = sent.get("outcome", "")
        sanction = self._sanction_form(sent)
        assign = AssigneeForm(sent, report=report, prefix="assign")
        deeds: dict[str, tuple[forms.Form, Deed, str]] = {
            "take": (forms.Form(sent), self._assigned(user), "This report is yours."),
            "put_back": (forms.Form(sent), self._assigned(None), "This report waits for anybody."),
            "assign": (assign, lambda data: self._assigned(data["assignee"])(data), "Assigned."),
            "decide": (
                NoteForm(sent, prefix="decide"),
                lambda data: decide_report(user, report.pk, outcome=outcome, why=why_of(data)),
                f"Decided: {dict(Outcome.choices).get(outcome, '')}.",
            ),
        }
        if report.message_id:
            number = report.message_id
            deeds["remove"] = (
                ReasonForm(sent, prefix="remove"),
                lambda data: delete_message(user, number, why=why_of(data)),
                "The message is removed.",
            )
            deeds["restore"] = (
                NoteForm(sent, prefix="restore"),
                lambda data: restore_message(user, number, why=why_of(data)),
                "The message is back.",
            )
        if report.subject_id and sanction is not None:
            deeds["sanction"] = (
                sanction,
                lambda data: self._sanction(sanction, data),
                "The sanction is in force.",
            )
        return deeds

    def _assigned(self, assignee: Any) -> Deed:
        return lambda _: assign_report(self.user, self.report.pk, assignee=assignee)

    def _sanction(self, form: SanctionForm, data: dict[str, Any]) -> object:
        assert self.report.subject_id is not None  # noqa: S101 - the button is not there without a person
        return sanction_person(
            self.user,
            self.report.subject_id,
            kind=data["kind"],
            room_id=form.room_id(),
            why=why_of(data),
            until=form.until(),
        )

    def _sanction_form(self, sent: Any = None) -> SanctionForm | None:
        if self.report.subject_id is None:
            return None
        initial = {"category": self.report.category}
        return SanctionForm(sent, room=self.report.room, prefix="sanction", initial=initial)

    def _context(self) -> dict[str, Any]:
        report, message = self.report, self.report.message
        blank: dict[str, forms.Form | None] = {
            "assign": AssigneeForm(report=report, prefix="assign"),
            "decide": NoteForm(prefix="decide"),
            "remove": ReasonForm(prefix="remove", initial={"category": report.category}),
            "restore": NoteForm(prefix="restore"),
            "sanction": self._sanction_form(),
        }
        evidence = getattr(report, "evidence", None)
        may_read = may_any(self.request, "chat.view_message", access.MODERATE)
        others = Report.objects.filter(message=message).exclude(pk=report.pk) if message else None
        return {
            "report": report,
            "lines": around(message, self.user) if message and may_read else [],
            "evidence": evidence if may_any(self.request, "chat.view_evidence") else None,
            "history": history(report.subject, self.user) if report.subject else None,
            "person": report.subject,
            "others": others.select_related("reporter")[:20] if others is not None else [],
            "forms": blank | self.forms,
            "is_waiting": report.state != ReportState.DECIDED,
            "is_mine": report.assignee_id == self.user.pk,
            "may_decide": self.may_decide,
            "may_moderate": self.may_moderate,
            "may_sanction": self.may_sanction,
            "outcomes": Outcome.choices,
        }
