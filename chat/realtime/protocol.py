"""The wire protocol of the socket: bytes to typed commands, replies and frames to bytes.

Normative text: docs/protocol.md. What is not known here is refused as ``invalid``.
"""

import math
from typing import Annotated, Any
from uuid import UUID

import msgspec

from chat.payloads import Person
from chatproject.errors import AppError, Code

SUBPROTOCOL = "chat.v1"
MAX_FRAME_BYTES = 65_536
MAX_OUTSTANDING = 64
MAX_REF_CHARS = 32

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Ref = Annotated[str, msgspec.Meta(max_length=MAX_REF_CHARS)]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """What a client sends; each gets exactly one reply with its ``ref``."""

    ref: Ref


class Hello(Command, frozen=True, tag="hello"):
    """Who is speaking: by ticket, else by the session cookie of the handshake."""

    ticket: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    client: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class OpenRoom(Command, frozen=True, tag="room.open"):
    """Follow a room; with ``after`` and ``epoch`` from where the client stopped."""

    room: Id
    after: Seq | None = None
    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class CloseRoom(Command, frozen=True, tag="room.close"):
    """Follow a room no longer."""

    room: Id


class PostMessage(Command, frozen=True, tag="message.post"):
    """Send a message; the same ``client_id`` never makes a second one."""

    room: Id
    client_id: UUID
    body: str
    reply_to: Id | None = None


class EditMessage(Command, frozen=True, tag="message.edit"):
    """Replace the text of a message."""

    message: Id
    body: str


class DeleteMessage(Command, frozen=True, tag="message.delete"):
    """Take a message away."""

    message: Id


class RestoreMessage(Command, frozen=True, tag="message.restore"):
    """Bring a message back."""

    message: Id


class ReadRoom(Command, frozen=True, tag="room.read"):
    """Everything up to ``seq`` has been seen."""

    room: Id
    seq: Seq


class Typing(Command, frozen=True, tag="typing"):
    """The person is writing in this room."""

    room: Id


class Ping(Command, frozen=True, tag="ping"):
    """Are you there?"""


AnyCommand = (
    Hello
    | OpenRoom
    | CloseRoom
    | PostMessage
    | EditMessage
    | DeleteMessage
    | RestoreMessage
    | ReadRoom
    | Typing
    | Ping
)


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a command was refused."""

    code: str
    message: str
    retry: bool
    retry_after: float | None = None
    fields: dict[str, list[str]] | None = None


class Reply(msgspec.Struct, frozen=True, tag_field="type", tag="reply", omit_defaults=True):
    """The one answer to a command."""

    ref: str | None
    ok: bool
    data: dict[str, Any] | None = None
    error: ErrorBody | None = None


class HeadsFrame(msgspec.Struct, frozen=True, tag_field="type", tag="heads"):
    """What has been written to this socket, by room."""

    rooms: dict[str, int]


class ResyncFrame(msgspec.Struct, frozen=True, tag_field="type", tag="resync"):
    """Load this room again."""

    room: int
    epoch: str


class RoomClosedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="room.closed"):
    """This socket has lost the room; nothing of it follows."""

    room: int
    code: str


class ReadFrame(msgspec.Struct, frozen=True, tag_field="type", tag="read"):
    """The person's read mark moved, on another socket."""

    room: int
    seq: int


class TypingFrame(msgspec.Struct, frozen=True, tag_field="type", tag="typing"):
    """Who is writing in a room now."""

    room: int
    users: list[Person]


class NotificationFrame(msgspec.Struct, frozen=True, tag_field="type", tag="notification"):
    """Something for this person alone. With ``data.notice`` it is kept until it was seen."""

    kind: str
    data: dict[str, Any]


class ByeFrame(msgspec.Struct, frozen=True, tag_field="type", tag="bye", omit_defaults=True):
    """The server closes this socket."""

    code: int
    reason: str
    retry_after: float | None = None


class Close:
    """Close codes. 4000-4499: connect again; 4500-4999: do not."""

    RESTART = 4001
    TOO_SLOW = 4002
    RATE = 4003
    NEW_TICKET = 4004
    BUSY = 4005
    PROTOCOL_ERROR = 4500
    NOT_AUTHENTICATED = 4501
    BANNED = 4503
    SESSION_ENDED = 4504
    VERSION = 4505


_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_encode = msgspec.json.Encoder().encode


class _Envelope(msgspec.Struct):
    """The part of a refused frame that its answer needs."""

    ref: Ref | None = None


def parse_command(frame: str | bytes | None) -> AnyCommand:
    """The command in ``frame``. Raises AppError INVALID or TOO_LARGE."""
    if not isinstance(frame, str):
        raise AppError(Code.INVALID, "Frames are JSON text.")
    raw = _utf8(frame)
    if len(raw) > MAX_FRAME_BYTES:
        raise AppError(Code.TOO_LARGE, f"A frame has at most {MAX_FRAME_BYTES} bytes.")
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise AppError(Code.INVALID, _reason(error)) from error


def ref_of(frame: str | bytes | None) -> str | None:
    """The ``ref`` of a frame that could not be parsed, if it can still be told."""
    try:
        return msgspec.json.decode(_utf8(frame) if isinstance(frame, str) else b"", type=_Envelope).ref
    except (AppError, msgspec.MsgspecError, RecursionError, ValueError):
        return None


def to_frame(frame: msgspec.Struct) -> bytes:
    """``frame`` as it goes to a socket."""
    return _encode(frame)


def reply_ok(ref: str, data: dict[str, Any] | None = None) -> bytes:
    """The answer to a command that was carried out."""
    return to_frame(Reply(ref, True, data or {}))


def reply_error(ref: str | None, error: AppError) -> bytes:
    """The answer to a command that was refused."""
    return to_frame(Reply(ref, False, error=error_body(error)))


def error_body(error: AppError) -> ErrorBody:
    """``error`` on the wire; ``retry_after`` rounded up to a millisecond: nobody comes back too early."""
    wait = None if error.retry_after is None else math.ceil(error.retry_after * 1000) / 1000
    return ErrorBody(error.code, error.message, error.retry, wait, error.fields)


def _utf8(frame: str) -> bytes:
    try:
        return frame.encode()
    except UnicodeEncodeError as error:
        raise AppError(Code.INVALID, "Frames are UTF-8.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    return "This is not JSON."
