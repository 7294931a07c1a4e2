"""The bounded way from the event loop to the database.

Channels' own ``database_sync_to_async`` gives all consumers one thread, so that one slow query stops
every socket (channels#2132). Here a process has as many threads as database connections.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

from chatproject.database import RETRY_AFTER_SECONDS, unavailable_when_down
from chatproject.errors import AppError, Code

P = ParamSpec("P")
T = TypeVar("T")


class DatabasePool:
    """Runs functions on threads that each hold at most one connection, lent for the call.

    A caller that finds no free thread within the check-out time is told ``unavailable``.
    """

    def __init__(self, size: int, checkout_seconds: float) -> None:
        self._checkout_seconds = checkout_seconds
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="database")
        self._free = asyncio.Semaphore(size)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls ``function`` on a thread. Raises AppError UNAVAILABLE when the database is away."""
        try:
            async with asyncio.timeout(self._checkout_seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise AppError(Code.UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS) from error
        context = copy_context()
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(lambda: _lend(function, *args, **kwargs))
        )
        # Released when the thread is done, also when the caller has been cancelled meanwhile.
        future.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(future)


def _lend(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        with unavailable_when_down():
            return function(*args, **kwargs)
    finally:
        connections.close_all()


@lru_cache(maxsize=1)
def database_pool() -> DatabasePool:
    """The pool of this process, made on first use."""
    return DatabasePool(settings.MAX_DATABASE_CONNECTIONS, settings.DATABASE_CHECKOUT_SECONDS)
