"""Reporting a message, a person or a room."""

from typing import Any

from api import moderation_inputs as inputs
from api.door import operation
from api.limiting import take
from api.moderation import Desk
from chat.actions.reports import Target, report
from chat.audit import Why
from chat.moderation_payloads import ReportReceipt, receipt
from chatproject.limits import REPORTS_PER_PERSON


class MessageReport(Desk):
    """Reporting a message."""

    @operation(
        "message_report", scope="messages:write", answer=ReportReceipt, statuses=(201,), body=inputs.NewReport
    )
    def post(self, given: dict[str, Any], *, message_id: int) -> ReportReceipt:
        """The moderators are told, and the caller of the outcome. The same again is the same report."""
        return self.made(Target(message_id=message_id), given)

    def made(self, target: Target, given: dict[str, Any]) -> ReportReceipt:
        """Counts it against the caller, and reports."""
        actor = self.actor
        take(self.request, REPORTS_PER_PERSON, actor.pk)
        why = Why(given["category"], given.get("text", ""))
        return receipt(report(actor, target, why=why, client_id=given.get("client_id")))


class PersonReport(MessageReport):
    """Reporting a person."""

    @operation(
        "user_report",
        scope="messages:write",
        answer=ReportReceipt,
        statuses=(201,),
        body=inputs.NewPersonReport,
    )
    def post(self, given: dict[str, Any], *, user_id: int) -> ReportReceipt:
        """With ``room`` that room's moderators are told, else staff."""
        return self.made(Target(user_id=user_id, room_id=given.get("room")), given)


class RoomReport(MessageReport):
    """Reporting a room."""

    @operation(
        "room_report", scope="messages:write", answer=ReportReceipt, statuses=(201,), body=inputs.NewReport
    )
    def post(self, given: dict[str, Any], *, room_id: int) -> ReportReceipt:
        """As for a message."""
        return self.made(Target(room_id=room_id), given)
