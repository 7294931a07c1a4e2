"""The page that says what someone may do in a room, and why."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.admin.base import may_any, staff
from chat.admin.forms import PlaceForm
from chat.explaining import explain


def rights(request: HttpRequest) -> HttpResponse:
    """A form with a person and a room, and below it every right with its reason."""
    if not (may_any(request, "accounts.view_user") and may_any(request, "chat.view_room")):
        raise PermissionDenied
    asked = "person" in request.GET and "room" in request.GET
    form = PlaceForm(request.GET if asked else None, initial=request.GET.dict(), user=staff(request))
    answers, person, room = [], None, None
    if asked and form.is_valid():
        person, room = form.cleaned_data["person"], form.cleaned_data["room"]
        answers = explain(person, room)
    context = {
        **admin.site.each_context(request),
        "title": "What may this person do here, and why",
        "form": form,
        "answers": answers,
        "person": person,
        "room": room,
    }
    return TemplateResponse(request, "admin/desk/rights.html", context)
