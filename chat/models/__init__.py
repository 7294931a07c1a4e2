"""What is said, and where. Every rule that the database can hold is a constraint."""

from chat.models.event import Kind, RoomEvent
from chat.models.incarnation import Incarnation
from chat.models.membership import Membership, Role
from chat.models.message import MAX_BODY_CHARS, Message
from chat.models.room import GuestPolicy, Room, RoomKind
from chat.models.sanction import Sanction, SanctionKind

__all__ = [
    "MAX_BODY_CHARS",
    "GuestPolicy",
    "Incarnation",
    "Kind",
    "Membership",
    "Message",
    "Role",
    "Room",
    "RoomEvent",
    "RoomKind",
    "Sanction",
    "SanctionKind",
]
