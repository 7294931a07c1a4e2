"""Doing one thing to many rows: first a page that says what would happen, then each by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.models import User
from chat.admin.base import DeskAdmin, attempt, staff, words_of
from chat.admin.forms import ReasonForm, why_of
from chat.audit import Why
from chatproject.errors import AppError

MAX_ROWS = 200
MAX_TOLD = 20
CONFIRM = "confirmed"


@dataclass(frozen=True, slots=True)
class Bulk:
    """One thing to do: ``label`` in the menu, ``button`` on the page before, ``says`` what it means there.

    ``foresee`` says of a row what would happen and whether it can; ``run`` does it, or raises AppError.
    """

    name: str
    label: str
    button: str
    says: str
    run: Callable[[User, Any, Why], object]
    foresee: Callable[[Any], tuple[bool, str]]
    permission: str
    form: type[forms.Form] = ReasonForm


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A row of the page before."""

    row: Any
    can: bool
    words: str


class BulkAdmin(DeskAdmin):
    """A list whose actions are ``bulks``. ``bulk_columns`` say what a row is on the page before."""

    bulks: Sequence[Bulk] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those that the reader may do; the admin's own deletion is none of ours."""
        may = [bulk for bulk in self.bulks if request.user.has_perm(bulk.permission)]
        return {bulk.name: (_action(bulk), bulk.name, bulk.label) for bulk in may}

    def bulk_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """All rows that may be acted on, whatever the list's filters hide."""
        return self.get_queryset(request)

    def bulk_words(self, request: HttpRequest, row: Any) -> str:
        """What a row says, without text of private rooms: a preview is no look into one."""
        return str(row)


def _action(bulk: Bulk) -> Callable[..., Any]:
    def act(admin: BulkAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        return carry_out(admin, bulk, request, queryset)

    act.__name__ = bulk.name
    return act


def carry_out(
    admin: BulkAdmin, bulk: Bulk, request: HttpRequest, queryset: QuerySet[Any]
) -> TemplateResponse | None:
    """The page before, or after it the deed; None leads back to the list."""
    ids = request.POST.getlist(ACTION_CHECKBOX_NAME)
    if request.POST.get("select_across") == "1":
        ids = [str(pk) for pk in queryset.values_list("pk", flat=True)[: MAX_ROWS + 1]]
    ids = [pk for pk in ids if pk.isdecimal()]
    if len(ids) > MAX_ROWS:
        messages.warning(request, f"Only the first {MAX_ROWS} are shown. Do the others after them.")
    rows = admin.bulk_rows(request).filter(pk__in=ids[:MAX_ROWS]).order_by("pk")
    form = bulk.form(request.POST if CONFIRM in request.POST else None)
    if CONFIRM in request.POST and attempt(
        request, form, lambda data: _run(request, bulk, rows, why_of(data))
    ):
        return None
    foreseen = [Foreseen(row, *bulk.foresee(row)) for row in rows]
    context = {
        "bulk": bulk,
        "form": form,
        "foreseen": [(item, admin.bulk_words(request, item.row)) for item in foreseen],
        "can": sum(item.can for item in foreseen),
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirm": CONFIRM,
    }
    return admin.page(request, "bulk", bulk.label, context)


def _run(request: HttpRequest, bulk: Bulk, rows: QuerySet[Any], why: Why) -> None:
    """Each row in a transaction of its own; what was refused is told by row."""
    done, refused = 0, []
    for row in rows:
        try:
            bulk.run(staff(request), row, why)
            done += 1
        except AppError as refusal:
            refused.append(f"{row}: {words_of(refusal)}")
    if done:
        messages.success(request, f"{bulk.label}: {done} done.")
    for words in refused[:MAX_TOLD]:
        messages.error(request, words)
    if len(refused) > MAX_TOLD:
        messages.error(request, f"{len(refused) - MAX_TOLD} more were refused.")
