"""What the lists of things that wait share: the state they are opened with, and the bar of what is new."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from chat.admin.base import DeskAdmin


class StateFilter(admin.SimpleListFilter):
    """Opens the list with what waits. ``states`` are all, ``waiting`` those that wait."""

    title = "state"
    parameter_name = "state"
    field_name = "state"
    states: Any = ()
    waiting: Any = ()
    waiting_label = "Waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        more = [(value, label) for value, label in self.states if [value] != list(self.waiting)]
        return [*more, ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": self.waiting_label,
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(value),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "all":
            return queryset
        return queryset.filter(**{f"{self.field_name}__in": [value] if value else self.waiting})


class QueueAdmin(DeskAdmin):
    """A list that says when something new has come. ``queue`` is its name in ``chat.admin.news``."""

    queue = ""
    change_list_template = "admin/desk/queue.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        newest = self.get_queryset(request).order_by("-pk").values_list("pk", flat=True).first()
        own = {"queue": self.queue, "newest": newest or 0}
        return super().changelist_view(request, own | (extra_context or {}))
