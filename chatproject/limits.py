"""The one limiter, for pages, REST, sockets, sign-in and guests.

GCRA, atomic in Redis (``limits.lua``): of any number of concurrent calls exactly ``count`` pass, and then
one every ``per_seconds / count``. While Redis is away the same algorithm runs in this process, so that a
limit holds per process instead of not at all; a circuit breaker keeps a dead Redis from costing a
time-out a call.
"""

import asyncio
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, cast
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from chatproject import metrics
from chatproject.errors import AppError, Code

SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
REDIS_TIMEOUT_SECONDS = 0.3
BREAK_SECONDS = 1.0
MAX_LOCAL_KEYS = 10_000
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` at once, and ``count`` in every ``per_seconds`` on average."""

    name: str
    count: int
    per_seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limit left of a key: for the ``RateLimit`` headers. Times in seconds."""

    limit: Limit
    allowed: bool
    remaining: int
    reset_seconds: int
    retry_after: float = 0.0


# The table of all limits. A person's key is their id, an address's the normalised address.
GUESTS_PER_ADDRESS = Limit("guests-address", 30, 600)
# Of all that Django answers, but REST, which has its own below. Many people may share an address.
PAGES_PER_ADDRESS = Limit("pages-address", 3000, 60)
SIGN_UP_PER_ADDRESS = Limit("sign-up-address", 20, 600)
SIGN_IN_PER_ADDRESS = Limit("sign-in-address", 30, 300)
SIGN_IN_PER_NAME = Limit("sign-in-name", 10, 300)
PASSWORD_RESETS_PER_ADDRESS = Limit("password-reset-address", 10, 600)
PASSWORD_RESETS_PER_EMAIL = Limit("password-reset-email", 3, 600)
PASSWORD_CHECKS_PER_PERSON = Limit("password-check-person", 10, 300)
NAME_CHANGES_PER_PERSON = Limit("name-change-person", 10, 3600)
TOKENS_PER_ADDRESS = Limit("tokens-address", 120, 60)
TICKETS_PER_PERSON = Limit("tickets-person", 60, 60)
SOCKETS_PER_PERSON = Limit("sockets-person", 60, 60)
SOCKETS_PER_ADDRESS = Limit("sockets-address", 300, 60)
SENDS_PER_PERSON = Limit("sends-person", 60, 30)
COMMANDS_PER_PERSON = Limit("commands-person", 300, 30)
REST_PER_PERSON = Limit("rest-person", 600, 60)
# The count is each application's own.
REST_PER_APPLICATION = Limit("rest-application", 600, 60)
REST_PER_ADDRESS = Limit("rest-address", 600, 60)
ROOMS_PER_PERSON = Limit("rooms-person", 10, 3600)
OAUTH_PER_ADDRESS = Limit("oauth-address", 240, 60)
APPLICATIONS_PER_PERSON = Limit("applications-person", 10, 3600)
WEBHOOK_CALLS_PER_PERSON = Limit("webhook-calls-person", 20, 60)
REPORTS_PER_PERSON = Limit("reports-person", 10, 3600)


def check(limit: Limit, key: str | int) -> Allowance:
    """Takes one from ``key``. Raises AppError RATE_LIMITED with ``retry_after``. For threads."""
    return _or_refuse(consume(limit, key))


async def acheck(limit: Limit, key: str | int) -> Allowance:
    """``check`` for the event loop."""
    return _or_refuse(await aconsume(limit, key))


def consume(limit: Limit, key: str | int) -> Allowance:
    """Takes one from ``key`` where one is left; the answer says whether. For threads."""
    if settings.NO_LIMITS:
        return Allowance(limit, True, limit.count, 0)
    if _breaker.may_try():
        try:
            answer = _client().eval(SCRIPT, 1, _redis_key(limit, key), *_arguments(limit))
        except (RedisError, OSError):
            _breaker.failed()
        else:
            _breaker.succeeded()
            return _allowance(limit, answer)
    return _consume_locally(limit, key)


async def aconsume(limit: Limit, key: str | int) -> Allowance:
    """``consume`` for the event loop."""
    if settings.NO_LIMITS:
        return Allowance(limit, True, limit.count, 0)
    if _breaker.may_try():
        try:
            call = _async_client().eval(SCRIPT, 1, _redis_key(limit, key), *_arguments(limit))
            answer = await cast("Awaitable[Any]", call)
        except (RedisError, OSError):
            _breaker.failed()
        else:
            _breaker.succeeded()
            return _allowance(limit, answer)
    return _consume_locally(limit, key)


def _or_refuse(allowance: Allowance) -> Allowance:
    if allowance.allowed:
        return allowance
    raise AppError(Code.RATE_LIMITED, retry_after=allowance.retry_after)


def _redis_key(limit: Limit, key: str | int) -> str:
    return f"{settings.REDIS_PREFIX}:limit:{limit.name}:{key}"


def _arguments(limit: Limit) -> tuple[str, str]:
    return str(limit.per_seconds * MICROSECONDS), str(limit.count)


def _allowance(limit: Limit, answer: Any) -> Allowance:
    allowed, remaining, until_full, until_next = answer
    return Allowance(
        limit,
        bool(allowed),
        int(remaining),
        math.ceil(until_full / MICROSECONDS),
        until_next / MICROSECONDS,
    )


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        # One more try on a connection that a restart of Redis has cut; a time-out is not tried again.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )


def _async_client() -> redis.asyncio.Redis:
    loop = asyncio.get_running_loop()
    client = _async_clients.get(loop)
    if client is None:
        client = _async_clients[loop] = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=AsyncRetry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
    return client


# A connection belongs to its event loop.
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()


class Breaker:
    """Open for a second after a failure; then one caller a second tries, until one succeeds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open_until = 0.0

    def may_try(self) -> bool:
        if not self._open_until:
            return True
        with self._lock:
            if time.monotonic() < self._open_until:
                return False
            self._open_until = time.monotonic() + BREAK_SECONDS
            return True

    def failed(self) -> None:
        self._open_until = time.monotonic() + BREAK_SECONDS

    def succeeded(self) -> None:
        self._open_until = 0.0


_breaker = Breaker()
_local_lock = Lock()
_local_arrivals: dict[tuple[str, str], int] = {}


def _consume_locally(limit: Limit, key: str | int) -> Allowance:
    """The script's algorithm in this process, with its monotonic clock."""
    metrics.LIMITER_FALLBACK.inc()
    period = limit.per_seconds * MICROSECONDS
    interval = period // limit.count
    place = (limit.name, str(key))
    with _local_lock:
        now = time.monotonic_ns() // 1000
        arrival = max(_local_arrivals.get(place, 0), now)
        following = arrival + interval
        if following - now > period:
            return _allowance(limit, (0, 0, arrival - now, following - period - now))
        if len(_local_arrivals) >= MAX_LOCAL_KEYS:
            _forget_the_idle(now)
        _local_arrivals[place] = following
    return _allowance(limit, (1, (period - (following - now)) // interval, following - now, 0))


def _forget_the_idle(now: int) -> None:
    """Drops every key that is full again, or all of them where a flood of new keys fills the table."""
    for place in [place for place, arrival in _local_arrivals.items() if arrival <= now]:
        del _local_arrivals[place]
    if len(_local_arrivals) >= MAX_LOCAL_KEYS:
        _local_arrivals.clear()
