"""One open room in this process: its newest events in memory and the sockets that follow it."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from chat.log import LoggedEvent
from chat.models import Kind
from chat.payloads import encode

MAX_EVENTS = 500
MAX_BYTES = 512 * 1024

# After these the text of a message that is still in memory is no longer what it was.
_REWRITES = {Kind.MESSAGE_EDITED, Kind.MESSAGE_DELETED, Kind.MESSAGE_RESTORED}


@dataclass(slots=True)
class Frame:
    """An event and the one encoding of it that every reader gets."""

    event: LoggedEvent
    text: str


class Feed:
    """The tail of one room's log. ``head`` is the seq of the newest event written to live sockets.

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
            frame = Frame(event, encode(event.payload).decode())
            self._frames.append(frame)
            self._bytes += len(frame.text)
            self.head = event.seq
            taken.append(frame)
        self._trim()
        return taken

    def reaches(self, seq: int) -> bool:
        """Whether everything after ``seq`` is in memory."""
        return self.head - len(self._frames) <= seq <= self.head

    def after(self, seq: int) -> Iterator[Frame]:
        """The frames after ``seq``, for which ``reaches`` holds."""
        skip = len(self._frames) - (self.head - seq)
        return (frame for place, frame in enumerate(self._frames) if place >= skip)

    def _rewrite(self, event: LoggedEvent) -> None:
        for frame in self._frames:
            if frame.event.message_id == event.message_id:
                payload = msgspec.structs.replace(frame.event.payload, data=event.payload.data)
                self._bytes -= len(frame.text)
                frame.text = encode(payload).decode()
                self._bytes += len(frame.text)
                frame.event = LoggedEvent(payload, frame.event.message_id, frame.event.subject_id)

    def _trim(self) -> None:
        while len(self._frames) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self._bytes -= len(self._frames.popleft().text)
