"""``python -m tests.faults.harness.entry NAME --fd N``: a server without one promise, or with a wrong clock.

The checker has to find what a server without a promise does. The product has no switch of this kind: it is
patched here.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from chatproject.server import process


def without_dedupe() -> None:
    """A repeat is a new message. (The database would refuse it: the caller has dropped that constraint.)"""
    from chat.actions.batch import Batch

    Batch._known = lambda *_: None  # type: ignore[method-assign,assignment]


def without_gap_check() -> None:
    """Memory takes whatever the bell brings, whether it follows or not."""
    from chat.realtime.feed import Feed

    append = Feed.append

    def take(self: Feed, events: Any) -> Any:
        events = [event for event in events if event.seq > self.head]
        if events:
            self.head = events[0].seq - 1
        return append(self, events)

    Feed.append = take  # type: ignore[method-assign]


def without_healing() -> None:
    """Nobody compares memory with the log."""
    from chat.realtime.hub import Hub

    async def nothing(self: Hub) -> None:
        return None

    Hub._heal = nothing  # type: ignore[method-assign]


def without_commit() -> None:
    """The sender is told before anything is written, and now and then nothing is."""
    from chat.actions import posting

    write = posting._post_screened

    def forget(room_id: int, written: Any, rules: Any) -> Any:
        from chat.actions.drafts import Posted

        if any(item.body.endswith("7") for item in written):
            return [Posted(1, 1, "2026-01-01T00:00:00.000000Z", False) for _ in written]
        return write(room_id, written, rules)

    posting._post_screened = forget


def without_revocation() -> None:
    """Nobody asks again whether a right or a credential still holds."""
    from chat.realtime.delivery import Delivery
    from chat.realtime.people import People

    async def nothing(self: People, sockets: Any) -> None:
        return None

    Delivery._suspect = lambda *_: None  # type: ignore[method-assign,assignment]
    People._end_those_ended = nothing  # type: ignore[method-assign]


def with_wrong_clock() -> None:
    """The wall clock is CLOCK_OFFSET_SECONDS off; the steady one goes on as it does."""
    offset = timedelta(seconds=int(os.environ["CLOCK_OFFSET_SECONDS"]))
    time_machine.travel(datetime.now(UTC) + offset, tick=True).start()


FAULTS = {
    "dedupe": without_dedupe,
    "gap_check": without_gap_check,
    "healing": without_healing,
    "commit": without_commit,
    "revocation": without_revocation,
    "right_clock": with_wrong_clock,
}


def main(arguments: list[str]) -> None:
    name, *rest = arguments
    load = process._load_application

    def broken(**options: Any) -> Any:
        application = load(**options)
        FAULTS[name]()
        return application

    process._load_application = broken  # type: ignore[assignment]
    process.main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
