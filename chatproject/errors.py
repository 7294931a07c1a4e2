"""The one table of refusals, for REST, sockets, pages and admin.

An action raises ``AppError`` with a code from here and a door translates it; nothing else catches it.
Source of the codes: docs/protocol.md, "Error codes".
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Every reason for which a request can be refused."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    SLOW_MODE = "slow_mode"
    MUTED = "muted"
    BANNED = "banned"
    READ_ONLY = "read_only"
    ARCHIVED = "archived"
    BLOCKED_CONTENT = "blocked_content"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code means outside: HTTP status, whether the same request may succeed later, words."""

    status: int
    retry: bool
    text: str


TABLE: dict[Code, Refusal] = {
    Code.INVALID: Refusal(400, False, "The request is not valid."),
    Code.UNAUTHENTICATED: Refusal(401, False, "Sign in first."),
    Code.FORBIDDEN: Refusal(403, False, "You may not do this."),
    Code.NOT_FOUND: Refusal(404, False, "This does not exist, or it is not open to you."),
    Code.CONFLICT: Refusal(409, False, "This is already taken or has changed."),
    Code.TOO_LARGE: Refusal(413, False, "This is too large."),
    Code.RATE_LIMITED: Refusal(429, True, "Too many requests in a short time."),
    Code.SLOW_MODE: Refusal(429, True, "Slow mode: wait before the next message."),
    Code.MUTED: Refusal(403, False, "You cannot write here at the moment."),
    Code.BANNED: Refusal(403, False, "You are banned."),
    Code.READ_ONLY: Refusal(403, False, "You can read here, but not write."),
    Code.ARCHIVED: Refusal(409, False, "This room is closed."),
    Code.BLOCKED_CONTENT: Refusal(422, False, "This text is not allowed here."),
    Code.UNAVAILABLE: Refusal(503, True, "Not available for a moment. Try again."),
    Code.INTERNAL: Refusal(500, True, "Something went wrong on our side."),
}


class AppError(Exception):
    """A refusal with a code from the table.

    ``message`` is shown to the person; ``retry_after`` is in seconds; ``fields`` maps the name of a
    field to what is wrong with it.
    """

    def __init__(
        self,
        code: Code,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        fields: dict[str, list[str]] | None = None,
    ) -> None:
        self.code = code
        self.message = message or TABLE[code].text
        self.retry_after = retry_after
        self.fields = fields
        super().__init__(f"{code}: {self.message}")

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return TABLE[self.code].status

    @property
    def retry(self) -> bool:
        """Whether the same request may succeed later."""
        return TABLE[self.code].retry
