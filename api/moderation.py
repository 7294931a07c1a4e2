"""What moderators do: held messages, reports, sanctions, and the audit with its undo."""

from datetime import timedelta
from typing import Any

import msgspec
from rest_framework.response import Response

from accounts.models import User
from api import moderation_inputs as inputs
from api.authentication import signed_in
from api.door import Door, operation
from chat import desk
from chat.actions.holding import approve_held, reject_held
from chat.actions.reports import assign_report, decide_report
from chat.actions.sanctions import imposed_before, lift_sanction, sanction_person
from chat.actions.seen import mark_notices_seen
from chat.actions.sweeping import ban_and_clean_up
from chat.actions.undo import undo_action
from chat.audit import Why
from chat.moderation_payloads import (
    ActionPayload,
    NoticePayload,
    ReportPayload,
    SanctionPayload,
    action_payload,
    sanction_payload,
)
from chat.payloads import HeldPayload
from chatproject.database import clock
from chatproject.errors import AppError, Code


class HeldPage(msgspec.Struct, frozen=True):
    """Messages that wait, the oldest first; ``next`` is the cursor of the following page."""

    results: list[HeldPayload]
    next: int | None = None


class ReportPage(msgspec.Struct, frozen=True):
    """Reports, the oldest first."""

    results: list[ReportPayload]
    next: int | None


class SanctionPage(msgspec.Struct, frozen=True):
    """Sanctions in force, the newest first."""

    results: list[SanctionPayload]
    next: int | None


class ActionPage(msgspec.Struct, frozen=True):
    """The audit, the newest first."""

    results: list[ActionPayload]
    next: int | None


class NoticeList(msgspec.Struct, frozen=True):
    """What the caller was told and has not seen, the oldest first."""

    results: list[NoticePayload]


class Desk(Door):
    """The base of what needs somebody who is signed in."""

    @property
    def actor(self) -> User:
        return signed_in(self.request.user)


def why(given: dict[str, Any]) -> Why | None:
    """The reason out of the checked fields; None where none was given."""
    category, text = given.get("category", ""), given.get("reason", "")
    return Why(category, text) if category or text else None


class HeldMessages(Desk):
    """Messages that wait for a moderator."""

    @operation("held_list", scope="moderation:read", answer=HeldPage, query=inputs.QueueQuery)
    def get(self, given: dict[str, Any]) -> HeldPage:
        """Those of the caller's rooms."""
        after = given.get("cursor", 0)
        rows = desk.waiting_held(self.actor, room_id=given.get("room"), after=after, limit=given["limit"])
        return HeldPage(*rows)


class Approval(Desk):
    """Letting a message in."""

    @operation("held_approve", scope="moderation:write", answer=HeldPayload, body=inputs.Reason)
    def post(self, given: dict[str, Any], *, held_id: int) -> HeldPayload:
        """It gets its place at the end of the room. Decided already: a conflict that says by whom."""
        approve_held(self.actor, held_id, why=why(given))
        return desk.held_for(self.actor, held_id)


class Rejection(Desk):
    """Keeping a message out."""

    @operation("held_reject", scope="moderation:write", answer=HeldPayload, body=inputs.Reason)
    def post(self, given: dict[str, Any], *, held_id: int) -> HeldPayload:
        """Its author is told, with the reason where one is given."""
        reject_held(self.actor, held_id, why=why(given))
        return desk.held_for(self.actor, held_id)


class Reports(Desk):
    """Reports that wait for a moderator."""

    @operation("report_list", scope="moderation:read", answer=ReportPage, query=inputs.ReportQuery)
    def get(self, given: dict[str, Any]) -> ReportPage:
        """Those that the caller may decide."""
        state, after = given.get("state"), given.get("cursor", 0)
        rows = desk.reports_for(
            self.actor, room_id=given.get("room"), state=state, after=after, limit=given["limit"]
        )
        return ReportPage(*rows)


class OneReport(Desk):
    """One report."""

    @operation("report_get", scope="moderation:read", answer=ReportPayload)
    def get(self, _given: dict[str, Any], *, report_id: int) -> ReportPayload:
        """With the evidence that was kept."""
        return desk.report_for(self.actor, report_id)


class ReportAssignment(Desk):
    """Who looks after a report."""

    @operation("report_assign", scope="moderation:write", answer=ReportPayload, body=inputs.Assignment)
    def post(self, given: dict[str, Any], *, report_id: int) -> ReportPayload:
        """Gives it to someone who may decide it, or with null back to all."""
        assignee = None
        if given["assignee"] is not None:
            assignee = User.objects.filter(pk=given["assignee"]).first()
            if assignee is None:
                raise AppError(Code.INVALID, fields={"assignee": ["They may not decide this report."]})
        assign_report(self.actor, report_id, assignee=assignee)
        return desk.report_for(self.actor, report_id)


class ReportDecision(Desk):
    """The end of a report."""

    @operation("report_decide", scope="moderation:write", answer=ReportPayload, body=inputs.Decision)
    def post(self, given: dict[str, Any], *, report_id: int) -> ReportPayload:
        """Its reporter is told. Decided already: a conflict that says by whom."""
        decide_report(self.actor, report_id, outcome=given["outcome"], why=why(given))
        return desk.report_for(self.actor, report_id)


class Sanctions(Desk):
    """Warnings, mutes, kicks and bans."""

    @operation("sanction_list", scope="moderation:read", answer=SanctionPage, query=inputs.SanctionQuery)
    def get(self, given: dict[str, Any]) -> SanctionPage:
        """Those in force in the caller's rooms."""
        rows = desk.sanctions_for(
            self.actor,
            room_id=given.get("room"),
            user_id=given.get("user"),
            after=given.get("cursor"),
            limit=given["limit"],
        )
        return SanctionPage(*rows)

    @operation(
        "sanction_create",
        scope="moderation:write",
        answer=SanctionPayload,
        statuses=(201, 200),
        body=inputs.NewSanction,
    )
    def post(self, given: dict[str, Any]) -> Response:
        """One of the same sort that is in force gives way. The person is told the reason. A ``client_id``
        used before answers 200 with that sanction.
        """
        replayed = imposed_before(self.actor, given.get("client_id"))
        until = clock() + timedelta(minutes=given["minutes"]) if given.get("minutes") else None
        made = sanction_person(
            self.actor,
            given["user"],
            kind=given["kind"],
            room_id=given.get("room"),
            why=why(given),
            until=until,
            client_id=given.get("client_id"),
        )
        return Response(sanction_payload(made), 200 if replayed else 201)


class OneSanction(Desk):
    """One sanction."""

    @operation("sanction_lift", scope="moderation:write", statuses=(204,), body=inputs.Reason)
    def delete(self, given: dict[str, Any], *, sanction_id: int) -> None:
        """Ends it before its time. Over already: a conflict."""
        lift_sanction(self.actor, sanction_id, why=why(given))


class CleanUps(Desk):
    """Banning someone and removing what they wrote."""

    @operation(
        "clean_up",
        scope="moderation:write",
        answer=ActionPayload,
        statuses=(201, 200),
        body=inputs.CleanUp,
    )
    def post(self, given: dict[str, Any]) -> Response:
        """One entry of the audit, whose undo takes back both. A ``client_id`` used before answers 200 with
        that one.
        """
        replayed = imposed_before(self.actor, given.get("client_id"))
        now = clock()
        made = ban_and_clean_up(
            self.actor,
            given["user"],
            since=now - timedelta(hours=given["hours"]),
            room_id=given.get("room"),
            why=why(given),
            until=now + timedelta(minutes=given["minutes"]) if given.get("minutes") else None,
            client_id=given.get("client_id"),
        )
        return Response(action_payload(made), 200 if replayed else 201)


class Actions(Desk):
    """The audit."""

    @operation("action_list", scope="moderation:read", answer=ActionPage, query=inputs.QueueQuery)
    def get(self, given: dict[str, Any]) -> ActionPage:
        """Staff see all of it, a room's moderators that of their room."""
        rows = desk.actions_for(
            self.actor, room_id=given.get("room"), after=given.get("cursor"), limit=given["limit"]
        )
        return ActionPage(*rows)


class Undo(Desk):
    """Taking an action back."""

    @operation(
        "action_undo", scope="moderation:write", answer=ActionPayload, statuses=(201,), body=inputs.Reason
    )
    def post(self, given: dict[str, Any], *, action_id: int) -> ActionPayload:
        """A conflict where it was taken back already or something has changed since."""
        return action_payload(undo_action(self.actor, action_id, why=why(given)))


class Notices(Desk):
    """What the caller was told in person."""

    @operation("notice_list", scope="profile:read", answer=NoticeList)
    def get(self, _given: dict[str, Any]) -> NoticeList:
        """Those not marked as seen."""
        return NoticeList(desk.notices_for(self.actor))


class SeenNotices(Desk):
    """Marking them as seen."""

    @operation("notice_seen", scope="profile:read", statuses=(204,), body=inputs.SeenMark)
    def post(self, given: dict[str, Any]) -> None:
        """All up to that one."""
        mark_notices_seen(self.actor, up_to=given["up_to"])
