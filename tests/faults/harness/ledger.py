"""What clients did and what they were told, as it happened."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Send:
    """One message from the first try to its end. Times are seconds of the monotonic clock."""

    client_id: UUID
    author: str
    body: str
    invoked_at: float
    acked_at: float | None = None
    seq: int | None = None
    refused: str | None = None
    tries: int = 0


@dataclass(slots=True)
class Display:
    """One event as a client showed it."""

    seq: int
    kind: str
    message: int | None
    body: str | None
    at: float


@dataclass(slots=True)
class Screen:
    """What one client shows: a snapshot up to ``base``, where there was one, and every event since.

    ``barred_at`` is when the right to read ended; nothing may be shown later than ``bound`` seconds after.
    """

    name: str
    base: int | None = None
    snapshot: dict[int, str | None] | None = None
    shown: list[Display] = field(default_factory=list)
    barred_at: float | None = None
    bound: float = 1.0

    def reload(self, base: int, messages: dict[int, str | None]) -> None:
        """Everything shown gives way to a snapshot: message id → text."""
        self.base, self.snapshot = base, messages
        self.shown.clear()

    @property
    def last(self) -> int | None:
        """The seq of the last event applied, or where the client began."""
        return self.shown[-1].seq if self.shown else self.base


@dataclass
class Ledger:
    """Of one scenario in one room."""

    sends: dict[UUID, Send] = field(default_factory=dict)
    screens: list[Screen] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refusals: list[tuple[str, float]] = field(default_factory=list)
    closes: Counter[int | str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)

    def invoke(self, client_id: UUID, author: str, body: str) -> Send:
        """A client is about to send."""
        send = self.sends[client_id] = Send(client_id, author, body, time.monotonic())
        return send

    def acknowledge(self, send: Send, reply: dict[str, Any]) -> None:
        """The server said that it is durable. A second answer must be the first one again."""
        if send.seq is not None and send.seq != reply["seq"]:
            self.faults.append(f"dup: {send.client_id} was acknowledged as {send.seq} and as {reply['seq']}")
        if send.acked_at is None:
            send.acked_at, send.seq = time.monotonic(), reply["seq"]

    def refuse(self, send: Send, code: str, seconds: float, *, for_good: bool) -> None:
        """The server said no, ``seconds`` after it was asked."""
        self.refusals.append((code, seconds))
        if for_good:
            send.refused = code

    def display(self, screen: Screen, event: dict[str, Any]) -> None:
        """A client shows an event that followed what it had."""
        message = event["data"].get("message")
        whole = isinstance(message, dict)
        now = time.monotonic()
        screen.shown.append(
            Display(
                event["seq"],
                event["kind"],
                message["id"] if whole else None,
                message["body"] if whole else None,
                now,
            )
        )
        if whole and event["kind"] == "message.posted":
            send = self.sends.get(UUID(message["client_id"]))
            if send is not None:
                self.delays.append(now - send.invoked_at)

    def wrong(self, kind: str, screen: Screen, event: dict[str, Any]) -> None:
        """A frame came that must not have come here: a repeat or a gap on one subscription."""
        self.faults.append(f"{kind}: {screen.name} was sent {event['seq']} after {screen.last}")

    @property
    def acknowledged(self) -> list[Send]:
        """Sends that the server promised to keep."""
        return [send for send in self.sends.values() if send.acked_at is not None]
