"""Where a stream stands in the logs of its rooms."""

import msgspec

from chatproject.errors import AppError, Code

MAX_CURSOR_CHARS = 4096


class Cursor(msgspec.Struct, frozen=True):
    """Where a stream stands: ``epoch.room.seq.room.seq…``, which clients keep and do not read."""

    epoch: str
    seqs: dict[int, int]

    def text(self) -> str:
        """As the id of an event."""
        return ".".join([self.epoch, *(f"{room}.{seq}" for room, seq in self.seqs.items())])


def parse_cursor(text: str) -> Cursor | None:
    """The cursor in a Last-Event-ID; None without one. Raises AppError INVALID."""
    if not text:
        return None
    epoch, *numbers = text.split(".")
    plain = all(part.isascii() and part.isdigit() and len(part) < 19 for part in numbers)
    if len(text) > MAX_CURSOR_CHARS or not epoch.isalnum() or not numbers or len(numbers) % 2 or not plain:
        raise AppError(Code.INVALID, "Last-Event-ID is not one of this platform.")
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return Cursor(epoch, {int(room): int(seq) for room, seq in pairs})
