"""The newest events of one open room in this process's memory."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import msgspec

from chat.log import LoggedEvent
from chat.models import Kind
from chat.payloads import encode
from chatproject.server.frames import text_frame

MAX_EVENTS = 500
MAX_BYTES = 512 * 1024

# After these the text of a message that is still in memory is no longer what it was.
_REWRITES = {Kind.MESSAGE_EDITED, Kind.MESSAGE_DELETED, Kind.MESSAGE_RESTORED}


@dataclass(slots=True)
class Frame:
    """An event and its JSON, encoded once for every reader."""

    event: LoggedEvent
    json: bytes


def frame_of(event: LoggedEvent) -> Frame:
    """``event`` with its encoding."""
    return Frame(event, encode(event.payload))


def sse_event(cursor: str, name: str, json: bytes) -> bytes:
    """One event of a stream (HTML, 9.2.6); JSON has no line break."""
    head = f"id: {cursor}\nevent: {name}\n" if cursor else f"event: {name}\n"
    return head.encode() + b"data: " + json + b"\n\n"


class Batch:
    """Events that leave together; what each kind of connection needs of them is made once, when asked."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = list(frames)
        self._stream: tuple[str, bytes] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    @cached_property
    def wire(self) -> bytes:
        """The WebSocket frames, one after the other."""
        return b"".join([text_frame(frame.json) for frame in self._frames])

    def stream(self, epoch: str, room_id: int) -> bytes:
        """The events of a stream that has this room alone; its id is where to go on."""
        if self._stream is None or self._stream[0] != epoch:
            parts = [sse_event(f"{epoch}.{room_id}.{f.event.seq}", "event", f.json) for f in self._frames]
            self._stream = (epoch, b"".join(parts))
        return self._stream[1]

    @property
    def frames(self) -> list[Frame]:
        """The events one by one."""
        return self._frames

    @cached_property
    def texts(self) -> list[str]:
        """The text of each frame."""
        return [frame.json.decode() for frame in self._frames]


class Feed:
    """The tail of one room's log. ``head`` is the seq of the newest event in memory.

    What is kept has no holes and ends at ``head``; it is bounded in count and in bytes. When an edit,
    a deletion or a restoration passes, earlier frames of that message are made anew, so that no reader
    who comes later is sent the old text.
    """

    def __init__(self, head: int) -> None:
        self.head = head
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def append(self, events: Iterable[LoggedEvent]) -> list[Frame]:
        """Takes the events that follow ``head`` without a gap; the frames of those taken."""
        taken = []
        for event in events:
            if event.seq != self.head + 1:
                continue
            if event.kind in _REWRITES:
                self._rewrite(event)
            frame = frame_of(event)
            self._frames.append(frame)
            self._bytes += len(frame.json)
            self.head = event.seq
            taken.append(frame)
        self._trim()
        return taken

    def reaches(self, seq: int) -> bool:
        """Whether everything after ``seq`` is in memory."""
        return self.head - len(self._frames) <= seq <= self.head

    def after(self, seq: int) -> Batch:
        """What came after ``seq``, for which ``reaches`` holds."""
        return Batch(islice(self._frames, len(self._frames) - (self.head - seq), None))

    def _rewrite(self, event: LoggedEvent) -> None:
        for frame in self._frames:
            if frame.event.message_id == event.message_id:
                payload = msgspec.structs.replace(frame.event.payload, data=event.payload.data)
                self._bytes -= len(frame.json)
                frame.json = encode(payload)
                self._bytes += len(frame.json)
                frame.event = LoggedEvent(payload, frame.event.message_id, frame.event.subject_id)

    def _trim(self) -> None:
        while len(self._frames) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self._bytes -= len(self._frames.popleft().json)
