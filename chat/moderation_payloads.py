"""The shapes of moderation that leave the platform, and the one function that builds each."""

from typing import Any

import msgspec

from accounts.models import User
from chat.models import ModerationAction, Report, Sanction
from chat.models.reason import reason_given
from chat.payloads import Person, instant, person_payload


class SanctionPayload(msgspec.Struct, frozen=True):
    """A sanction; ``room`` is null for everywhere, ``ends_at`` for ever, ``by`` for automod."""

    id: int
    kind: str
    room: int | None
    user: Person
    category: str
    reason: str
    by: Person | None
    created_at: str
    ends_at: str | None
    lifted_at: str | None


class ReportReceipt(msgspec.Struct, frozen=True):
    """A report as its reporter sees it."""

    id: int
    state: str
    outcome: str | None


class EvidencePayload(msgspec.Struct, frozen=True):
    """The message as it was when it was reported; ``edits`` are earlier texts, the oldest first."""

    body: str
    written_at: str
    edits: list[dict[str, str]]


class ReportPayload(msgspec.Struct, frozen=True):
    """A report as a moderator sees it; ``reporter`` is null for automod."""

    id: int
    state: str
    outcome: str | None
    category: str
    text: str
    room: int | None
    message: int | None
    subject: Person | None
    reporter: Person | None
    assignee: Person | None
    decided_by: Person | None
    created_at: str
    evidence: EvidencePayload | None


class ActionPayload(msgspec.Struct, frozen=True):
    """An entry of the audit."""

    id: int
    at: str
    kind: str
    actor: Person | None
    room: int | None
    subject: Person | None
    target: str
    category: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    undoes: int | None


class NoticePayload(msgspec.Struct, frozen=True):
    """What someone was told in person: ``kind`` and ``data`` are those of the frame."""

    id: int
    kind: str
    data: dict[str, Any]
    created_at: str


def sanction_payload(sanction: Sanction) -> SanctionPayload:
    """``sanction`` as moderators see it; ``user`` and ``by`` should be loaded."""
    return SanctionPayload(
        id=sanction.pk,
        kind=sanction.kind,
        room=sanction.room_id,
        user=person_payload(sanction.user),
        category=sanction.category,
        reason=reason_given(sanction.category, sanction.reason),
        by=person_payload(sanction.by) if sanction.by else None,
        created_at=instant(sanction.created_at),
        ends_at=instant(sanction.ends_at) if sanction.ends_at else None,
        lifted_at=instant(sanction.lifted_at) if sanction.lifted_at else None,
    )


def receipt(report: Report) -> ReportReceipt:
    """``report`` for who made it."""
    return ReportReceipt(report.pk, report.state, report.outcome or None)


def report_payload(report: Report) -> ReportPayload:
    """``report`` as moderators see it; its relations should be loaded."""
    evidence = getattr(report, "evidence", None)
    kept = None
    if evidence is not None:
        kept = EvidencePayload(evidence.body, instant(evidence.written_at), evidence.edits)
    return ReportPayload(
        id=report.pk,
        state=report.state,
        outcome=report.outcome or None,
        category=report.category,
        text=report.text,
        room=report.room_id,
        message=report.message_id,
        subject=_person(report.subject),
        reporter=_person(report.reporter),
        assignee=_person(report.assignee),
        decided_by=_person(report.decided_by),
        created_at=instant(report.created_at),
        evidence=kept,
    )


def action_payload(action: ModerationAction) -> ActionPayload:
    """An entry of the audit; its relations should be loaded."""
    note = getattr(action, "note", None)
    return ActionPayload(
        id=action.pk,
        at=instant(action.at),
        kind=action.kind,
        actor=_person(action.actor),
        room=action.room_id,
        subject=_person(action.subject),
        target=action.target,
        category=action.category,
        reason=note.text if note else "",
        before=action.before,
        after=action.after,
        undoes=action.undoes_id,
    )


def _person(user: User | None) -> Person | None:
    return person_payload(user) if user else None
