"""What has come since a page was made: asked by ``static/js/desk.js`` every few seconds."""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from chat.admin import numbers

MAX_NEW = 99
QUEUES: dict[str, tuple[Callable[[HttpRequest], bool], Callable[[HttpRequest], object]]] = {
    "reports": (numbers.may_see_reports, numbers.waiting_reports),
    "held": (numbers.may_see_held, numbers.waiting_held),
    "hits": (numbers.may_see_hits, numbers.hits),
}


def news(request: HttpRequest) -> JsonResponse:
    """The numbers of the index, and with ``queue`` and ``after`` how many newer rows a queue has."""
    counts = {number.key: number.text for number in numbers.numbers(request)}
    answer = JsonResponse({"counts": counts, "news": _news(request)})
    answer["Cache-Control"] = "no-store"
    return answer


def _news(request: HttpRequest) -> str:
    """In words; empty when there is nothing new."""
    may, rows = QUEUES.get(request.GET.get("queue", ""), (None, None))
    after = request.GET.get("after", "")
    if may is None or rows is None or not may(request) or not after.isdecimal():
        return ""
    found: int = rows(request).filter(pk__gt=after).order_by()[: MAX_NEW + 1].count()  # type: ignore[attr-defined]
    if not found:
        return ""
    return _("%(count)s new. Show them.") % {"count": f"{MAX_NEW}+" if found > MAX_NEW else found}
