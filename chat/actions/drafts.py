"""A message on its way into a room, and what becomes of it."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import User
from chat.text.automod import Findings
from chatproject.errors import AppError

NOTHING_FOUND = Findings((), b"", False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way into a room, as its author wrote it."""

    author: User
    client_id: UUID
    body: str
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is in the log. ``replayed`` when an earlier send with this client_id made it."""

    message_id: int
    seq: int
    created_at: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for a moderator. ``replayed`` when an earlier send with this client_id made it."""

    replayed: bool = False


Outcome = Posted | Held | AppError


@dataclass(frozen=True, slots=True)
class Written:
    """A draft whose text has been checked, rendered and screened."""

    draft: Draft
    body: str
    html: str
    findings: Findings
