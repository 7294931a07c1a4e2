"""Group commit: one queue and one transaction in flight for each room; what arrives meanwhile is the
next batch. Rooms run side by side, so a locked room delays only itself."""

import asyncio
from collections import deque
from dataclasses import dataclass

from django.conf import settings

from chat.actions.drafts import Draft, Held, Outcome, Posted
from chat.actions.posting import post_messages
from chatproject import metrics
from chatproject.errors import AppError, Code
from chatproject.pool import DatabasePool

# More than this waiting in one room is answered at once: the queue would only grow stale.
MAX_WAITING = 2048
UNAVAILABLE_SECONDS = 1.0


@dataclass(slots=True)
class _Waiting:
    draft: Draft
    outcome: "asyncio.Future[Posted | Held]"


class Writer:
    """The only way from a socket to ``post_messages``. A lone send waits for nothing."""

    def __init__(self, pool: DatabasePool) -> None:
        self._pool = pool
        self._queues: dict[int, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, room_id: int, draft: Draft) -> "asyncio.Future[Posted | Held]":
        """Puts ``draft`` at the end of the room's queue. The future raises AppError on refusal."""
        outcome: asyncio.Future[Posted | Held] = asyncio.get_running_loop().create_future()
        queue = self._queues.get(room_id)
        if queue is None:
            queue = self._queues[room_id] = deque()
            task = asyncio.get_running_loop().create_task(self._drain(room_id, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(queue) >= MAX_WAITING:
            outcome.set_exception(AppError(Code.UNAVAILABLE, retry_after=UNAVAILABLE_SECONDS))
        else:
            queue.append(_Waiting(draft, outcome))
        return outcome

    async def finish(self) -> None:
        """Returns when everything that was accepted has been answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, room_id: int, queue: deque[_Waiting]) -> None:
        while queue:
            batch: list[_Waiting] = []
            try:
                outcomes: list[Outcome | Exception] = [
                    *await self._pool.run(self._commit, room_id, queue, batch)
                ]
            except Exception as error:  # the same answer for all; the consumer logs what is not an AppError
                if not batch or (isinstance(error, AppError) and error.code is Code.UNAVAILABLE):
                    # It did not come to a thread, or the database is away: whoever waits behind would be told
                    # the same, after as long again.
                    batch += queue
                    queue.clear()
                outcomes = [error] * len(batch)
            for waiting, outcome in zip(batch, outcomes, strict=True):
                _settle(waiting.outcome, outcome)
        del self._queues[room_id]

    def _commit(self, room_id: int, queue: deque[_Waiting], batch: list[_Waiting]) -> list[Outcome]:
        """On a thread of the pool. What has come while the room waited for it goes along: ``batch`` is filled
        here, and not before."""
        batch += [queue.popleft() for _ in range(min(len(queue), settings.WRITER_MAX_BATCH))]
        metrics.BATCH_SIZE.labels("transactions").inc()
        metrics.BATCH_SIZE.labels("sends").inc(len(batch))
        return post_messages(room_id, [waiting.draft for waiting in batch])


def _settle(future: "asyncio.Future[Posted | Held]", outcome: Outcome | Exception) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
