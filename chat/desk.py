"""What moderators read: held messages, reports, sanctions and the audit of the rooms that are theirs.

Staff with the permission see those of all rooms that they reach; a room's moderators see their room's, and
nothing of another.
"""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.models import User
from chat import access
from chat.models import (
    HeldMessage,
    HeldState,
    Membership,
    ModerationAction,
    Notice,
    Report,
    ReportState,
    Role,
    Room,
    RoomKind,
    Sanction,
)
from chat.moderation_payloads import (
    ActionPayload,
    NoticePayload,
    ReportPayload,
    SanctionPayload,
    action_payload,
    report_payload,
    sanction_payload,
)
from chat.payloads import HeldPayload, held_payload, instant
from chat.standing import staff_may
from chatproject.errors import AppError, Code

# The states of reports that nobody has decided.
WAITING = "waiting"
Row = TypeVar("Row", bound=Model)


def waiting_held(
    user: User, *, room_id: int | None, after: int, limit: int
) -> tuple[list[HeldPayload], int | None]:
    """Messages that wait for someone like ``user``, the oldest first, and where the next page begins."""
    rooms = moderated_rooms(user, access.MODERATE, room_id)
    found = HeldMessage.objects.filter(state=HeldState.WAITING, room__in=rooms, pk__gt=after)
    page, following = _page(found.select_related("author", "rule").order_by("pk"), limit)
    return [held_payload(held, to_moderator=True) for held in page], following


def held_for(user: User, held_id: int) -> HeldPayload:
    """One held message for its moderators. Raises AppError NOT_FOUND."""
    rooms = moderated_rooms(user, access.MODERATE, None)
    held = HeldMessage.objects.filter(pk=held_id, room__in=rooms).select_related("author", "rule").first()
    if held is None:
        raise AppError(Code.NOT_FOUND)
    return held_payload(held, to_moderator=True)


def reports_for(
    user: User, *, room_id: int | None, state: str | None, after: int, limit: int
) -> tuple[list[ReportPayload], int | None]:
    """Reports that ``user`` may decide, the oldest first; with WAITING for a state those not decided."""
    found = _reports(user, room_id).filter(pk__gt=after)
    if state == WAITING:
        found = found.exclude(state=ReportState.DECIDED)
    elif state is not None:
        found = found.filter(state=state)
    page, following = _page(found.order_by("pk"), limit)
    return list(map(report_payload, page)), following


def report_for(user: User, report_id: int) -> ReportPayload:
    """One report that ``user`` may decide. Raises AppError NOT_FOUND."""
    found = _reports(user, None).filter(pk=report_id).first()
    if found is None:
        raise AppError(Code.NOT_FOUND)
    return report_payload(found)


def sanctions_for(
    user: User, *, room_id: int | None, user_id: int | None, after: int | None, limit: int
) -> tuple[list[SanctionPayload], int | None]:
    """Sanctions in force that ``user`` may lift, the newest first."""
    found = Sanction.objects.in_force()
    rooms = moderated_rooms(user, access.SANCTION, room_id)
    everywhere = Q(room__isnull=True) if room_id is None and staff_may(user, access.SANCTION) else Q()
    found = found.filter(Q(room__in=rooms) | everywhere) if everywhere else found.filter(room__in=rooms)
    if user_id is not None:
        found = found.filter(user_id=user_id)
    if after is not None:
        found = found.filter(pk__lt=after)
    page, following = _page(found.select_related("user", "by").order_by("-pk"), limit)
    return list(map(sanction_payload, page)), following


def actions_for(
    user: User, *, room_id: int | None, after: int | None, limit: int
) -> tuple[list[ActionPayload], int | None]:
    """The audit, the newest first: staff's of everything, a room's moderators' of their room."""
    found = _actions(user, room_id)
    if after is not None:
        found = found.filter(pk__lt=after)
    page, following = _page(found.order_by("-pk"), limit)
    return list(map(action_payload, page)), following


def notices_for(user: User) -> list[NoticePayload]:
    """What ``user`` was told and has not seen, the oldest first, at most 100."""
    unseen = Notice.objects.filter(user=user, seen_at__isnull=True).order_by("pk")[:100]
    return [NoticePayload(row.pk, row.kind, row.data, instant(row.created_at)) for row in unseen]


def moderated_rooms(user: User, permission: str, room_id: int | None) -> QuerySet[Room]:
    """The rooms in which ``user`` does what ``permission`` gives to staff, or that one of them.

    Raises AppError NOT_FOUND for a room that does not exist for them, FORBIDDEN where they are no moderator.
    """
    if room_id is not None:
        standing = access.standing_in(_room(room_id), user)
        reached = staff_may(user, permission) and access.reaches(standing)
        if not reached and not standing.may_moderate():
            raise standing.read_refusal() or AppError(Code.FORBIDDEN)
        return Room.objects.filter(pk=room_id)
    own = Membership.objects.filter(user=user, role__in=[Role.OWNER, Role.MODERATOR]).values("room")
    barred = Sanction.objects.in_force().barring().filter(user=user, room__isnull=False).values("room")
    mine = Q(pk__in=own) & ~Q(pk__in=barred)
    if not staff_may(user, permission):
        return Room.objects.filter(mine)
    if staff_may(user, access.VIEW_PRIVATE):
        return Room.objects.all()
    return Room.objects.filter(mine | ~Q(kind=RoomKind.PRIVATE))


def _actions(user: User, room_id: int | None) -> QuerySet[ModerationAction]:
    found = ModerationAction.objects.select_related("actor", "subject", "note")
    if room_id is not None or not staff_may(user, access.AUDIT):
        found = found.filter(room__in=moderated_rooms(user, access.AUDIT, room_id))
    return found


def _reports(user: User, room_id: int | None) -> QuerySet[Report]:
    """The same rule as ``reports.may_decide``, in SQL."""
    about = Q(room__in=moderated_rooms(user, access.HANDLE_REPORTS, room_id))
    if not staff_may(user, access.HANDLE_REPORTS):
        about &= Q(subject__isnull=False)
    elif room_id is None:
        about |= Q(room__isnull=True)
    people = ("subject", "reporter", "assignee", "decided_by", "evidence")
    return Report.objects.filter(about).exclude(subject_id=user.pk).select_related(*people)


def _room(room_id: int) -> Room:
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        raise AppError(Code.NOT_FOUND)
    return room


def _page(rows: QuerySet[Row], limit: int) -> tuple[list[Row], int | None]:
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, page[-1].pk if len(found) > limit else None
