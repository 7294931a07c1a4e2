"""Filters of lists: by a person or room that is picked, by state, by day. Each is served by an index."""

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.forms import Media, ModelChoiceField
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware

from accounts.models import User
from chat import access
from chat.admin.base import staff
from chat.admin.moments import first_at
from chat.models import Membership


class PickFilter(admin.SimpleListFilter):
    """One row of another table, found by typing: a list of all of them would be too long."""

    template = "admin/desk/pick_filter.html"
    field_name: str

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        is_room = self.title == "room"
        field = Membership._meta.get_field("room" if is_room else "user")
        chosen = access.rooms_reached_by(staff(request)) if is_room else User.objects.all()
        value = self.value() if (self.value() or "").isdecimal() else None
        self.others = {name: values[-1] for name, values in request.GET.lists()}
        for name in (self.parameter_name, "p"):
            self.others.pop(str(name), None)
        widget = AutocompleteSelect(
            field, model_admin.admin_site, attrs={"id": f"pick-{self.parameter_name}"}
        )
        # The one that is chosen; the browser asks for the others.
        widget.choices = ModelChoiceField(chosen, required=False).choices
        self.widget = widget.render(str(self.parameter_name), value, widget.attrs)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        if self.value():
            remove = changelist.get_query_string(remove=[self.parameter_name])
            yield {"selected": False, "query_string": remove, "display": "All"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(**{self.field_name: value}) if value.isdecimal() else queryset.none()


def pick(title: str, field: str, parameter: str | None = None) -> type[PickFilter]:
    """A filter by ``field``; ``title`` is ``room`` or says which person."""
    names = {"title": title, "parameter_name": parameter or field, "field_name": f"{field}_id"}
    return type(f"{title.title()}Filter", (PickFilter,), names)


PICK_MEDIA: Media = AutocompleteSelect(Membership._meta.get_field("user"), admin.site).media


class DayFilter(admin.SimpleListFilter):
    """From a day on and up to a day, by the ids that were given then: ids ascend with time."""

    title = "day"
    parameter_name = "since"
    template = "admin/desk/day_filter.html"
    column = "created_at"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        until = params.pop("until", [""])[-1]
        super().__init__(request, params, model, model_admin)
        self.days = {"since": self.value() or "", "until": until}
        self.others = {name: values[-1] for name, values in request.GET.lists()}
        for name in ("since", "until", "p"):
            self.others.pop(name, None)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return ["since", "until"]

    def choices(self, changelist: Any) -> Iterator[Any]:
        if any(self.days.values()):
            remove = changelist.get_query_string(remove=["since", "until"])
            yield {"selected": False, "query_string": remove, "display": "All"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since, until = (_moment(self.days["since"], time.min), _moment(self.days["until"], time.max))
        if since is not None:
            queryset = queryset.filter(pk__gte=first_at(queryset.model, self.column, since))
        if until is not None:
            queryset = queryset.filter(pk__lt=first_at(queryset.model, self.column, until))
        return queryset


class AtFilter(DayFilter):
    """The audit calls its moment ``at``."""

    column = "at"


def _moment(day: str, at: time) -> datetime | None:
    try:
        found = parse_date(day)
    except ValueError:
        return None
    return make_aware(datetime.combine(found, at)) if found else None
