"""What waits, counted, for the first page and for ``static/js/desk.js``."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from chat import access
from chat.admin.base import in_reach, may_any, staff
from chat.models import (
    AutomodHit,
    HeldMessage,
    HeldState,
    Pulse,
    Report,
    ReportState,
    Sanction,
    SanctionKind,
)
from chatproject.database import ClockTimestamp

# Counting stops here; the page says that there are more.
MAX_COUNTED = 999
PULSE_SECONDS = 30
# The clock of the statement's start: an index cannot be asked for one that runs on.
LASTING = Q(ends_at__isnull=True) | Q(ends_at__gt=Now())


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the index, and the list it leads to. ``is_calling`` while somebody should look."""

    key: str
    label: str
    count: int
    url: str
    is_calling: bool = False

    @property
    def text(self) -> str:
        """As it is shown."""
        return f"{MAX_COUNTED}+" if self.count > MAX_COUNTED else f"{self.count:,}"


def numbers(request: HttpRequest) -> list[Number]:
    """Those that the reader may see; each is a partial index of few rows, or one row a process."""
    found = []
    if may_see_reports(request):
        count = _bounded(waiting_reports(request))
        found.append(Number("reports", "Reports that wait", count, _list("report"), count > 0))
    if may_see_held(request):
        count = _bounded(waiting_held(request))
        found.append(Number("held", "Held messages", count, _list("heldmessage"), count > 0))
    if may_any(request, "chat.view_sanction", access.SANCTION):
        count = _bounded(
            Sanction.objects.filter(LASTING, lifted_at__isnull=True).exclude(kind=SanctionKind.WARN)
        )
        found.append(Number("sanctions", "Sanctions in force", count, _list("sanction")))
    if may_any(request, "accounts.view_user"):
        people = f"{reverse('admin:accounts_user_changelist')}?seen=now"
        found.append(Number("online", "People here now", people_online(), people))
    return found


def people_online() -> int:
    """As the serving processes have told in the last PULSE_SECONDS."""
    alive = Pulse.objects.filter(at__gt=ClockTimestamp() - timedelta(seconds=PULSE_SECONDS))
    return alive.aggregate(people=Sum("people"))["people"] or 0


def may_see_reports(request: HttpRequest) -> bool:
    """Whether the queue of reports is open to the reader."""
    return may_any(request, "chat.view_report", access.HANDLE_REPORTS)


def may_see_held(request: HttpRequest) -> bool:
    """Whether the queue of held messages is open to the reader."""
    return may_any(request, "chat.view_heldmessage", access.MODERATE)


def may_see_hits(request: HttpRequest) -> bool:
    """Whether the reader may see what automod found."""
    return may_any(request, "chat.view_automodhit", access.MODERATE, access.AUTOMOD)


def waiting_reports(request: HttpRequest) -> QuerySet[Report]:
    """Not decided yet, and in the reader's reach."""
    return Report.objects.exclude(state=ReportState.DECIDED).filter(in_reach(staff(request)))


def waiting_held(request: HttpRequest) -> QuerySet[HeldMessage]:
    """Not decided yet, and in the reader's reach."""
    return HeldMessage.objects.filter(in_reach(staff(request)), state=HeldState.WAITING)


def hits(request: HttpRequest) -> QuerySet[AutomodHit]:
    """Everything automod found, in the reader's reach."""
    return AutomodHit.objects.filter(in_reach(staff(request)))


def links(request: HttpRequest) -> list[tuple[str, str]]:
    """The lists of the desk that are open to the reader, for the header of every page."""
    wanted = [
        ("Reports", _list("report"), may_see_reports(request)),
        ("Held", _list("heldmessage"), may_see_held(request)),
        ("Automod", _list("automodhit"), may_see_hits(request)),
        ("Sanctions", _list("sanction"), may_any(request, "chat.view_sanction", access.SANCTION)),
        ("People", reverse("admin:accounts_user_changelist"), may_any(request, "accounts.view_user")),
        ("Rooms", _list("room"), may_any(request, "chat.view_room", access.MANAGE)),
        ("Messages", _list("message"), may_any(request, "chat.view_message", access.MODERATE)),
        ("Rules", _list("automodrule"), may_any(request, "chat.view_automodrule", access.AUTOMOD)),
        ("Audit", _list("moderationaction"), may_any(request, access.AUDIT)),
    ]
    return [(label, url) for label, url, may in wanted if may]


def _bounded(rows: QuerySet[Report] | QuerySet[HeldMessage] | QuerySet[Sanction]) -> int:
    return rows.order_by()[: MAX_COUNTED + 1].count()


def _list(model: str) -> str:
    return reverse(f"admin:chat_{model}_changelist")
