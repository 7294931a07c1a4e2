"""Reporting a message, a person or a room, and what is decided about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from chat import access, audit, log, notices
from chat.actions.authors import author_in
from chat.actions.changing import check_unchanged, checked
from chat.actions.messages import DELETED, deletion_deed, deletion_of, put_deletion
from chat.audit import Deed, Why
from chat.models import (
    Evidence,
    Message,
    MessageRevision,
    ModerationAction,
    NoticeKind,
    Outcome,
    Report,
    ReportState,
)
from chat.payloads import instant
from chat.standing import staff_may
from chatproject.database import clock
from chatproject.errors import AppError, Code

ASSIGNED, DECIDED = "report.assigned", "report.decided"
REPORT_HINT = "report.waiting"


@dataclass(frozen=True, slots=True)
class Target:
    """What is reported: one of a message, a person (in a room or not), a room."""

    message_id: int | None = None
    user_id: int | None = None
    room_id: int | None = None


def report(reporter: User, target: Target, *, why: Why, client_id: UUID | None = None) -> Report:
    """Tells the moderators. What was reported by the same person and waits is that report again; so is
    whatever has a ``client_id`` that they used before.

    A message is kept as evidence as it is now, with its earlier texts, before anything is done about it.
    Raises AppError NOT_FOUND for what the reporter cannot see, INVALID for oneself.
    """
    reason = checked(why)
    with transaction.atomic():
        if (earlier := _sent_before(reporter, client_id)) is not None:
            return earlier
        made = _new_report(reporter, target, reason)
        made.client_id = client_id
        if made.subject_id == reporter.pk:
            raise AppError(Code.INVALID, "You cannot report yourself.")
        same = Report.objects.exclude(state=ReportState.DECIDED).filter(
            reporter=reporter, message=made.message, subject=made.subject, room=made.room
        )
        if (known := same.first()) is not None:
            return known
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError:  # the same, at the same moment
            return _sent_before(reporter, client_id) or same.get()
        if made.message is not None:
            keep_evidence(made, made.message)
            _hide_for_review(made)
        notices.hint(_who_decides(made), REPORT_HINT, {"room": made.room_id})
        return made


def _sent_before(reporter: User, client_id: UUID | None) -> Report | None:
    if client_id is None:
        return None
    return Report.objects.filter(reporter=reporter, client_id=client_id).first()


def report_by_rule(message: Message, rule_id: int) -> Report:
    """Automod's report of a message, in the transaction of its posting."""
    made = Report.objects.create(
        room=message.room, message=message, subject=message.author, rule_id=rule_id, category="other"
    )
    keep_evidence(made, message)
    return made


def assign_report(actor: User, report_id: int, *, assignee: User | None) -> Report:
    """Gives a report to someone who may decide it; None puts it back for all."""
    with transaction.atomic():
        found = _locked(actor, report_id)
        if found.state == ReportState.DECIDED:
            raise AppError(Code.CONFLICT, "This report is decided already.")
        if assignee is not None and not may_decide(assignee, found):
            raise AppError(Code.INVALID, fields={"assignee": ["They may not decide this report."]})
        before = _state_of(found)
        state = ReportState.ASSIGNED if assignee else ReportState.OPEN
        given = {"state": state, "assignee": assignee.pk if assignee else None, "outcome": ""}
        _put(found, before | given, actor)
        if _state_of(found) != before:
            audit.record(actor, _deed(ASSIGNED, found, before))
    return found


def decide_report(actor: User, report_id: int, *, outcome: str, why: Why | None = None) -> Report:
    """Says whether a report is right. Its reporter is told; a message hidden for the review comes back
    when the report is dismissed. Raises AppError CONFLICT, naming who has decided before.
    """
    reason = checked(why)
    if outcome not in Outcome.values:
        raise AppError(Code.INVALID, fields={"outcome": ["This is not an outcome."]})
    with transaction.atomic():
        found = _locked(actor, report_id)
        if found.state == ReportState.DECIDED:
            by = found.decided_by.display_name if found.decided_by else "Someone"
            raise AppError(Code.CONFLICT, f"{by} has decided already: {found.get_outcome_display().lower()}.")
        before = _state_of(found)
        hidden = before["hidden"] and (outcome == Outcome.UPHELD or _has_other_grounds(found))
        decided = {"state": ReportState.DECIDED, "assignee": before["assignee"], "outcome": outcome}
        at = _put(found, decided | {"hidden": hidden}, actor)
        if found.reporter_id is not None:
            told = {"report": found.pk, "outcome": outcome, "room": found.room_id}
            notices.tell(found.reporter_id, NoticeKind.REPORT_DECIDED, told, at=at)
        audit.record(actor, _deed(DECIDED, found, before), reason)
    return found


def put_report(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Opens a decided report again, or takes back to whom it was given; see ``chat.actions.changing``."""
    found = _locked(actor, int(action.target.partition(":")[2]))
    check_unchanged(_state_of(found), expected)
    _put(found, wanted, actor)


def may_decide(user: User, found: Report) -> bool:
    """Staff with the permission; a room's moderators what happened in their room.

    Nobody decides about themselves: what is said of the room as a whole is said of those who look after it,
    and is for staff.
    """
    if found.subject_id == user.pk:
        return False
    if found.room is None:
        return staff_may(user, access.HANDLE_REPORTS)
    standing = access.standing_in(found.room, user)
    staff = staff_may(user, access.HANDLE_REPORTS) and access.reaches(standing)
    return staff or (found.subject_id is not None and standing.may_moderate())


def keep_evidence(made: Report, message: Message) -> None:
    """The message as it is now, and what it said before."""
    edits = MessageRevision.objects.filter(message=message).order_by("id")
    Evidence.objects.create(
        report=made,
        author=message.author,
        body=message.body,
        edits=[{"body": edit.body, "written_at": instant(edit.written_at)} for edit in edits],
        written_at=message.edited_at or message.created_at,
    )


def _new_report(reporter: User, target: Target, reason: Why) -> Report:
    common = {"reporter": reporter, "category": reason.category, "text": reason.text}
    if target.message_id is not None:
        seen, _ = access.message_for(reporter, target.message_id)
        room = log.lock_room(seen.room_id)
        message = Message.objects.select_related("author").get(pk=seen.pk)
        if message.deleted_at is not None:
            raise AppError(Code.CONFLICT, "This message was removed already.")
        message.room = room
        return Report(room=room, message=message, subject=message.author, **common)
    room_ = access.room_for(reporter, target.room_id).room if target.room_id is not None else None
    if target.user_id is None:
        if room_ is None:
            raise AppError(Code.INVALID, "Say what you report.")
        return Report(room=room_, **common)
    subject = User.objects.filter(pk=target.user_id).first()
    if subject is None:
        raise AppError(Code.NOT_FOUND)
    return Report(room=room_, subject=subject, **common)


def _hide_for_review(made: Report) -> None:
    """After so many reports, by the room's setting, the message is gone until someone has decided."""
    message, room = made.message, made.room
    if message is None or room is None or not room.hide_after_reports:
        return
    waiting = Report.objects.filter(message=message).exclude(state=ReportState.DECIDED)
    if waiting.count() < room.hide_after_reports:
        return
    before = deletion_of(message)
    now = clock()
    put_deletion(message, now, None, by=None, at=now)
    made.hid = True
    made.save(update_fields=["hid"])
    audit.record(None, deletion_deed(DELETED, message, before))


def _is_hidden(message: Message | None) -> bool:
    """Whether it is gone for the time of a review, and nobody has taken it away since."""
    if message is None or message.deleted_at is None or message.deleted_by_id is not None:
        return False
    return Report.objects.filter(message=message, hid=True).exists()


def _has_other_grounds(found: Report) -> bool:
    """Whether another report of the message waits, or was right."""
    others = Report.objects.filter(message=found.message).exclude(pk=found.pk)
    return others.exclude(state=ReportState.DECIDED, outcome=Outcome.DISMISSED).exists()


def _locked(actor: User, report_id: int) -> Report:
    """The report under the lock of its room, if it has one, and of its own row."""
    place = Report.objects.filter(pk=report_id).values_list("room_id", flat=True)
    if not place:
        raise AppError(Code.NOT_FOUND)
    room = log.lock_room(place[0]) if place[0] is not None else None
    if room is not None:
        author_in(room, actor)
    found = (
        Report.objects.select_for_update(no_key=True, of=("self",))
        .select_related("message__author", "decided_by", "subject", "reporter")
        .get(pk=report_id)
    )
    found.room = room
    if found.message is not None and room is not None:
        found.message.room = room
    if not may_decide(actor, found):
        raise AppError(Code.NOT_FOUND)
    return found


def _state_of(found: Report) -> dict[str, Any]:
    return {
        "state": str(found.state),
        "assignee": found.assignee_id,
        "outcome": str(found.outcome),
        "hidden": _is_hidden(found.message),
    }


def _put(found: Report, wanted: dict[str, Any], actor: User) -> datetime:
    now = clock()
    decided = wanted["state"] == ReportState.DECIDED
    found.state, found.assignee_id, found.outcome = wanted["state"], wanted["assignee"], wanted["outcome"]
    found.decided_by = actor if decided else None
    found.decided_at = now if decided else None
    found.save(update_fields=["state", "assignee", "outcome", "decided_by", "decided_at"])
    notices.hint(_who_decides(found), REPORT_HINT, {"room": found.room_id})
    message = found.message
    if message is not None and wanted["hidden"] != _is_hidden(message):
        put_deletion(message, now if wanted["hidden"] else None, None, by=actor.pk, at=now)
    return now


def _deed(kind: str, found: Report, before: dict[str, Any]) -> Deed:
    return Deed(
        kind,
        f"report:{found.pk}",
        room_id=found.room_id,
        subject_id=found.subject_id,
        before=before,
        after=_state_of(found),
    )


def _who_decides(made: Report) -> list[int]:
    """The room's moderators, but for whom it is about: they learn nothing of it."""
    if made.room is None or made.subject_id is None:
        return []
    return [user_id for user_id in access.moderators_of(made.room) if user_id != made.subject_id]
