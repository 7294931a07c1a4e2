"""Work that runs beside the rest."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from chatproject.errors import AppError

logger = logging.getLogger(__name__)


class Tasks:
    """Background work that is kept from being forgotten by the event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs ``work`` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, AppError):
            logger.error("Background work failed", exc_info=error)
