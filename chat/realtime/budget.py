"""What one socket may send, whoever speaks on it: so many frames, and so many bytes.

The limits of a person (``chatproject.limits``) are asked for each command that was understood. This one is
for everything that comes in, what costs no command and what is refused as well. It is counted here, for a
socket lives in one process.
"""

import time

FRAMES_PER_SOCKET = 900
BYTES_PER_SOCKET = 4 * 1024 * 1024
PER_SECONDS = 30.0


class Budget:
    """GCRA, as the limiter has it: all of it at once, and then as fast as it fills again."""

    __slots__ = ("_bytes_due", "_frames_due")

    def __init__(self) -> None:
        self._frames_due = self._bytes_due = 0.0

    def spend(self, frame: str | bytes) -> float | None:
        """Takes ``frame`` from the budget; the seconds until there is one again where it is used up."""
        now = time.monotonic()
        frames_due = max(self._frames_due, now) + PER_SECONDS / FRAMES_PER_SOCKET
        bytes_due = max(self._bytes_due, now) + PER_SECONDS / BYTES_PER_SOCKET * _bytes_of(frame)
        over = max(frames_due, bytes_due) - now - PER_SECONDS
        if over > 0:
            return over
        self._frames_due, self._bytes_due = frames_due, bytes_due
        return None


def _bytes_of(frame: str | bytes) -> int:
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame)
    return len(frame.encode("utf-8", "surrogatepass"))
