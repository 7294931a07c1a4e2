"""Bounds how many HTTP requests Django works on at once in one process.

Each occupies a thread and mostly a database connection; without a bound a burst would take the whole pool
and leave none for the sockets.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from chatproject.policies import closed_headers

AT_ONCE = 8
MAX_WAITING = 256
UNBOUNDED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
BUSY = b'{"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "unavailable"}'

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Bounded:
    """An ASGI application that lets ``at_once`` requests in, has some wait, and refuses the rest."""

    def __init__(self, application: Application, *, at_once: int = AT_ONCE) -> None:
        self.application = application
        self.turn = asyncio.Semaphore(at_once)
        self.waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] in UNBOUNDED_PATHS:
            await self.application(scope, receive, send)
            return
        if self.waiting >= MAX_WAITING:
            await _refuse(send)
            return
        self.waiting += 1
        try:
            await self.turn.acquire()
        finally:
            self.waiting -= 1
        try:
            await self.application(scope, receive, send)
        finally:
            self.turn.release()


async def _refuse(send: Any) -> None:
    problem = (b"content-type", b"application/problem+json")
    headers = [*closed_headers(), problem, (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": BUSY})
