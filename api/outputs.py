"""The shapes that only REST sends. The others are ``chat.payloads``."""

import msgspec

from chat.models import Membership
from chat.payloads import EventPayload, MemberPayload, MyRoomPayload, Person, instant, person_payload


class SignedIn(msgspec.Struct, frozen=True):
    """Someone and their first tokens; ``expires_in`` in seconds, of the access token."""

    user: Person
    access: str
    refresh: str
    expires_in: int


class Tokens(msgspec.Struct, frozen=True):
    """The next tokens; the refresh token that was shown is used up."""

    access: str
    refresh: str
    expires_in: int


class Ticket(msgspec.Struct, frozen=True):
    """For the ``hello`` of one socket, once, within ``expires_in`` seconds."""

    ticket: str
    expires_in: int


class RoomPage(msgspec.Struct, frozen=True):
    """Rooms: those the caller belongs to, then the other open ones; ``next`` is null at the end."""

    results: list[MyRoomPayload]
    next: str | None = None


class MemberPage(msgspec.Struct, frozen=True):
    """Members, the earliest first; ``next`` is the cursor of the following page, null at the end."""

    results: list[MemberPayload]
    next: int | None


class EventPage(msgspec.Struct, frozen=True):
    """Events in order; ``next`` is where to go on, ``seq`` the room's head and ``epoch`` of that moment."""

    results: list[EventPayload]
    next: int
    seq: int
    epoch: str


class ReadPosition(msgspec.Struct, frozen=True):
    """Up to where the caller has read."""

    read: int


class RoomHeads(msgspec.Struct, frozen=True):
    """Where the logs of rooms stand, by room id as text; those not open to the caller are left out."""

    epoch: str
    heads: dict[str, int]


class RevisionPayload(msgspec.Struct, frozen=True):
    """What a message said from ``written_at`` on, until the next."""

    body: str
    written_at: str


class RevisionList(msgspec.Struct, frozen=True):
    """The texts of a message, the oldest first; the last is the present one."""

    results: list[RevisionPayload]


def member_payload(membership: Membership) -> MemberPayload:
    """Someone in a room; ``membership.user`` should be loaded."""
    return MemberPayload(person_payload(membership.user), membership.role, instant(membership.joined_at))
