"""Rings other processes over the channel layer: "there is something new in this room".

The layer is at-most-once by its own specification: what is lost heals from the log. So a bell is a hint where
to look. It may bring copies of what is new, which save the other processes the look; nobody trusts them
further than the log's own numbers go (docs/decisions/0006-bells-bring-copies.md).

One channel a process, joined to the group of each room it has open: a message costs Redis one push a process,
whatever the number of sockets.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from chatproject import metrics

logger = logging.getLogger(__name__)

RING_SECONDS = 0.3
MAX_COPIES_BYTES = 64 * 1024
RETRY_SECONDS = 0.5
# Every process is in this group: what concerns a person, not a room.
PEOPLE = "people"

Answer = Callable[[dict[str, Any]], None]


def room_group(room_id: int) -> str:
    """The layer's group of the processes that have the room open."""
    return f"room.{room_id}"


def ring_from_thread(group: str, bell: dict[str, Any]) -> None:
    """Rings from a process that has no event loop of its own: a command, a worker."""
    async_to_sync(_send)(group, bell)


def notification_bell(user_ids: list[int], kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """A bell that brings all there is to show: none of these takes the place of another."""
    return {"type": "notification", "mark": uuid4().int >> 65, "users": user_ids, "kind": kind, "data": data}


class Doorbell:
    """The bell of a process with an event loop. ``answer`` is called with each bell that arrives."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._layer = get_channel_layer()
        self._channel = ""
        self._groups: set[str] = {PEOPLE}
        self._waiting: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._ringing: set[tuple[str, str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listens until ``stop``."""
        self._spawn(self._listen())

    async def stop(self) -> None:
        """Leaves the line."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def join(self, group: str) -> None:
        """Hears ``group`` from now on; returns when the layer knows it, or cannot be reached for now."""
        self._groups.add(group)
        # Without a channel there is no layer yet; _listen joins all groups as soon as there is.
        if self._channel and not await self._tell_layer("group_add", group):
            self._spawn(self._join_later(group))

    async def leave(self, group: str) -> None:
        """Hears ``group`` no longer."""
        self._groups.discard(group)
        if self._channel:
            await self._tell_layer("group_discard", group)

    def ring(self, group: str, bell: dict[str, Any]) -> None:
        """Rings without waiting. Bells of one sort go one after the other: while one is on its way, a newer
        one takes the place of what waits, and brings along what that one carried."""
        who = bell.get("mark") or bell.get("user", 0)
        key = (group, bell["type"], who["id"] if isinstance(who, dict) else who)
        self._waiting[key] = _merged(self._waiting.get(key, {}), bell)
        if key not in self._ringing:
            self._ringing.add(key)
            self._spawn(self._ring(group, key))

    async def _ring(self, group: str, key: tuple[str, str, int]) -> None:
        try:
            while key in self._waiting:
                await asyncio.sleep(0)  # what else this turn of the loop rings goes along
                await _send(group, self._waiting.pop(key))
        finally:
            self._ringing.discard(key)

    async def _listen(self) -> None:
        while not self._channel:
            try:
                self._channel = await self._layer.new_channel("hub")
            except Exception as error:
                metrics.DOORBELL_FAILURES.inc()
                logger.warning("The channel layer is away: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
        for group in list(self._groups):
            await self.join(group)
        while True:  # what was joined is joined again by redis-py after a loss of the connection
            try:
                self._answer(await self._layer.receive(self._channel))
            except Exception:
                logger.exception("A bell could not be answered")

    async def _join_later(self, group: str) -> None:
        joined = False
        while group in self._groups and not joined:
            await asyncio.sleep(RETRY_SECONDS)
            joined = await self._tell_layer("group_add", group)

    async def _tell_layer(self, what: str, group: str) -> bool:
        try:
            async with asyncio.timeout(RING_SECONDS):
                await getattr(self._layer, what)(group, self._channel)
        except Exception as error:
            metrics.DOORBELL_FAILURES.inc()
            logger.warning("%s failed: %s", what, type(error).__name__)
            return False
        return True

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _merged(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """``later`` with the copies of both, if they are of one epoch and few; without copies it still rings."""
    if "events" not in later:
        return later
    copies = later["events"]
    if earlier.get("epoch") == later["epoch"]:
        copies = [*earlier["events"], *copies]
    if sum(map(len, copies)) > MAX_COPIES_BYTES:
        copies = []
    return later | {"events": copies}


async def _send(group: str, bell: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(RING_SECONDS):
            await get_channel_layer().group_send(group, bell)
    except Exception as error:
        metrics.DOORBELL_FAILURES.inc()
        logger.warning("A ring was lost: %s", type(error).__name__)
