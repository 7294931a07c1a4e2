"""Work that runs beside the rest."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """Background work that is kept from being forgotten by the event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs ``work`` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
