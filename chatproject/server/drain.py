"""Whether this process is shutting down, and who wants to say goodbye first."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

_draining = False
_callbacks: list[Callable[[], Awaitable[None]]] = []


def draining() -> bool:
    """True from the moment the process was asked to stop: it is no longer ready for new work."""
    return _draining


def on_drain(callback: Callable[[], Awaitable[None]]) -> None:
    """Have ``callback`` run on the event loop when the drain begins, before the process ends."""
    _callbacks.append(callback)


async def begin(*, seconds: float) -> None:
    """Start draining: run all callbacks at once, giving them ``seconds`` together."""
    global _draining
    _draining = True
    results = asyncio.gather(*(callback() for callback in _callbacks), return_exceptions=True)
    try:
        for result in await asyncio.wait_for(results, timeout=seconds):
            if isinstance(result, BaseException):
                logger.error("A drain callback failed", exc_info=result)
    except TimeoutError:
        logger.error("Drain callbacks took longer than %s s", seconds)
