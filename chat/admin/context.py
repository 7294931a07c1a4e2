"""What stands around a message, and what is known of a person: read for the pages of the desk."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F

from accounts.models import User
from chat import access
from chat.admin.base import in_reach, shown_text
from chat.models import AutomodHit, Message, ModerationAction, Report, Sanction

AROUND = 10
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A message as the desk shows it; ``text`` is None for one that is gone."""

    message: Message
    text: str | None
    is_it: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a person, the newest of each first and at most SHOWN."""

    sanctions: list[Sanction]
    reports: list[Report]
    removed: list[Line]
    hits: list[AutomodHit]
    actions: list[ModerationAction]


def around(message: Message, user: User) -> list[Line]:
    """AROUND messages on either side of ``message``, in order, with it between them."""
    rows = Message.objects.filter(room_id=message.room_id).select_related("author", "deleted_by")
    found = [*rows.page_before(message.seq, AROUND), message, *rows.page_after(message.seq, AROUND)]
    return [Line(row, shown_text(row, user), row.pk == message.pk) for row in found]


def history(person: User, user: User) -> History:
    """As far as ``user`` may see it. Texts of private rooms are not in it: each look there is recorded."""
    reach = in_reach(user)
    sanctions = Sanction.objects.filter(reach, user=person).select_related("room", "by").order_by("-id")
    reports = Report.objects.filter(reach, subject=person).select_related("room", "reporter", "decided_by")
    hits = AutomodHit.objects.filter(reach, author=person).select_related("rule", "room").order_by("-id")
    return History(
        list(sanctions[:SHOWN]),
        list(reports.order_by("-id")[:SHOWN]),
        _removed(person, user),
        list(hits[:SHOWN]),
        _actions(person, user),
    )


def _removed(person: User, user: User) -> list[Line]:
    """Taken away by somebody else than themselves."""
    gone: Any = Message.objects.filter(author=person, deleted_at__isnull=False).exclude(
        deleted_by=F("author")
    )
    gone = gone.filter(room__in=access.rooms_reached_by(user)).select_related("room", "author", "deleted_by")
    rows = list(gone.order_by("-id")[:SHOWN])
    return [Line(row, None if row.room.is_private else shown_text(row, user)) for row in rows]


def _actions(person: User, user: User) -> list[ModerationAction]:
    if not user.has_perm(access.AUDIT):
        return []
    found = ModerationAction.objects.filter(subject=person).select_related("actor", "room").order_by("-id")
    return list(found[:SHOWN])
