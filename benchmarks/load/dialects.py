"""The three ways of speaking: ours, plain JSON, and Socket.IO 5 over Engine.IO 4.

Frames are told apart by their first bytes. Nothing here parses JSON: the load client must stay cheap.
"""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Protocol

_REF = re.compile(rb'"ref": ?"(\d+)"')
_SEQ = re.compile(rb'"seq": ?(\d+)')


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer to the request ``ref``."""

    ref: int
    ok: bool


class Dialect(Protocol):
    """What a client must know to speak to a server."""

    path: str
    headers: dict[str, str]

    def greetings(self, ticket: str | None) -> list[tuple[bytes, bool]]:
        """What is sent first, and whether each is answered before the next."""
        ...

    def join(self, ref: int, room: int, after: int | None = None, epoch: str | None = None) -> bytes: ...

    def post(self, ref: int, room: int, body: str) -> bytes: ...

    def acknowledgement(self, payload: bytes) -> Acknowledgement | None: ...

    def is_event(self, payload: bytes) -> bool: ...

    def answer(self, payload: bytes) -> bytes | None:
        """What must be sent back at once to stay connected."""
        ...


def seq_of(payload: bytes) -> int:
    """The place of an event in its room; every dialect's event carries it."""
    found = _SEQ.search(payload)
    if found is None:
        raise ValueError(f"an event without seq: {payload[:200]!r}")
    return int(found[1])


class PlainJson:
    """One JSON object a frame: the textbook consumer and the bare ``ws`` library."""

    path = "/"
    headers: dict[str, str] = {}

    def greetings(self, ticket: str | None) -> list[tuple[bytes, bool]]:
        return []

    def join(self, ref: int, room: int, after: int | None = None, epoch: str | None = None) -> bytes:
        return _json(type="join", ref=str(ref), room=room)

    def post(self, ref: int, room: int, body: str) -> bytes:
        return _json(type="post", ref=str(ref), room=room, client_id=str(uuid.uuid4()), body=body)

    def acknowledgement(self, payload: bytes) -> Acknowledgement | None:
        if b'"reply"' not in payload[:18]:
            return None
        found = _REF.search(payload)
        if found is None:
            raise ValueError(f"a reply without ref: {payload[:200]!r}")
        return Acknowledgement(int(found[1]), b'"ok":true' in payload or b'"ok": true' in payload)

    def is_event(self, payload: bytes) -> bool:
        return b'"event"' in payload[:18]

    def answer(self, payload: bytes) -> bytes | None:
        return None


class Ours(PlainJson):
    """This project's protocol: docs/protocol.md."""

    path = "/ws/v1/"

    def greetings(self, ticket: str | None) -> list[tuple[bytes, bool]]:
        return [(_json(type="hello", ref="0", ticket=ticket), True)]

    def join(self, ref: int, room: int, after: int | None = None, epoch: str | None = None) -> bytes:
        position = {} if after is None else {"after": after, "epoch": epoch}
        return _json(type="room.open", ref=str(ref), room=room, **position)

    def post(self, ref: int, room: int, body: str) -> bytes:
        return _json(type="message.post", ref=str(ref), room=room, client_id=str(uuid.uuid4()), body=body)

    def ping(self, ref: int) -> bytes:
        return _json(type="ping", ref=str(ref))


class SocketIo:
    """Engine.IO 4 by WebSocket alone, Socket.IO 5, default namespace, acknowledgements."""

    path = "/socket.io/?EIO=4&transport=websocket"
    headers: dict[str, str] = {}

    def greetings(self, ticket: str | None) -> list[tuple[bytes, bool]]:
        return [(b"40", True)]

    def join(self, ref: int, room: int, after: int | None = None, epoch: str | None = None) -> bytes:
        return b"42%d" % ref + json.dumps(["join", room]).encode()

    def post(self, ref: int, room: int, body: str) -> bytes:
        content = {"room": room, "client_id": str(uuid.uuid4()), "body": body}
        return b"42%d" % ref + json.dumps(["post", content]).encode()

    def acknowledgement(self, payload: bytes) -> Acknowledgement | None:
        if payload.startswith(b"43"):
            ref, _, data = payload[2:].partition(b"[")
            return Acknowledgement(int(ref), not data.startswith(b"false"))
        if payload.startswith(b"40"):
            return Acknowledgement(0, ok=True)
        return None

    def is_event(self, payload: bytes) -> bool:
        return payload.startswith(b"42")

    def answer(self, payload: bytes) -> bytes | None:
        return b"3" if payload == b"2" else None


def _json(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
