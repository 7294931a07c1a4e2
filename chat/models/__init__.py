"""What is said, and where. Every rule that the database can hold is a constraint."""

from chat.models.audit import ActionNote, ModerationAction
from chat.models.automod import AutomodHit, AutomodRule, RuleAction, RuleKind, Ruleset
from chat.models.event import Kind, RoomEvent
from chat.models.held import HeldMessage, HeldState
from chat.models.incarnation import Incarnation
from chat.models.membership import Membership, Role
from chat.models.message import MAX_BODY_CHARS, Message
from chat.models.notice import Notice, NoticeKind
from chat.models.pulse import Pulse
from chat.models.reason import MAX_REASON_CHARS, Category
from chat.models.report import Evidence, Outcome, Report, ReportState
from chat.models.revision import MessageRevision
from chat.models.room import GuestPolicy, Room, RoomKind
from chat.models.sanction import BARRING, Sanction, SanctionKind

__all__ = [
    "BARRING",
    "MAX_BODY_CHARS",
    "MAX_REASON_CHARS",
    "ActionNote",
    "AutomodHit",
    "AutomodRule",
    "Category",
    "Evidence",
    "GuestPolicy",
    "HeldMessage",
    "HeldState",
    "Incarnation",
    "Kind",
    "Membership",
    "Message",
    "MessageRevision",
    "ModerationAction",
    "Notice",
    "NoticeKind",
    "Outcome",
    "Pulse",
    "Report",
    "ReportState",
    "Role",
    "Room",
    "RoomEvent",
    "RoomKind",
    "RuleAction",
    "RuleKind",
    "Ruleset",
    "Sanction",
    "SanctionKind",
]
