"""The limiter is exact under concurrency, in Redis and without it."""

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatproject import limits, metrics
from chatproject.errors import AppError, Code
from chatproject.limits import Limit, acheck, check, consume

TEN = Limit("test", 10, 600)


@pytest.fixture
def key():
    return uuid.uuid4().hex


@pytest.fixture(autouse=True)
def fresh_clients():
    yield from _with_fresh_clients()


def _with_fresh_clients():
    limits._client.cache_clear()
    limits._breaker.succeeded()
    yield
    limits._client.cache_clear()
    limits._breaker.succeeded()


@pytest.fixture
def patient(monkeypatch):
    """A machine that is busy with other tests is no Redis that is away."""
    monkeypatch.setattr(limits, "REDIS_TIMEOUT_SECONDS", 10.0)


@pytest.fixture
def no_redis(settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody"


def ask(key):
    try:
        check(TEN, key)
    except AppError as refusal:
        assert refusal.code == Code.RATE_LIMITED
        return False
    return True


def allowed_of_fifty(key):
    with ThreadPoolExecutor(50) as threads:
        return sum(threads.map(ask, [key] * 50))


def test_exactly_count_of_fifty_pass(patient, key):
    before = metrics.LIMITER_FALLBACK._value.get()
    assert allowed_of_fifty(key) == 10
    assert metrics.LIMITER_FALLBACK._value.get() == before


def test_exactly_count_of_fifty_pass_without_redis(no_redis, key):
    before = metrics.LIMITER_FALLBACK._value.get()
    assert allowed_of_fifty(key) == 10
    assert metrics.LIMITER_FALLBACK._value.get() == before + 50


async def ask_on_loop(key):
    async def one():
        try:
            await acheck(TEN, key)
        except AppError:
            return False
        return True

    return sum(await asyncio.gather(*(one() for _ in range(50))))


async def test_exactly_count_of_fifty_pass_on_the_loop(patient, key):
    assert await ask_on_loop(key) == 10


async def test_exactly_count_of_fifty_pass_on_the_loop_without_redis(no_redis, key):
    assert await ask_on_loop(key) == 10


def test_loop_and_threads_share_one_count(patient, key):
    assert asyncio.run(ask_on_loop(key)) == 10
    assert not ask(key)


@pytest.mark.parametrize("redis_is", ["up", "down"])
def test_allowance_counts_down_and_says_when(request, redis_is, key):
    if redis_is == "down":
        request.getfixturevalue("no_redis")
    first = check(TEN, key)
    assert (first.allowed, first.remaining, first.reset_seconds) == (True, 9, 60)
    left = [check(TEN, key).remaining for _ in range(9)]
    assert left == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = consume(TEN, key)
    assert not refused.allowed
    assert refused.remaining == 0
    assert 59 < refused.retry_after <= 60
    assert 595 < refused.reset_seconds <= 600
    with pytest.raises(AppError) as refusal:
        check(TEN, key)
    assert 59 < refusal.value.retry_after <= 60


@pytest.mark.parametrize("redis_is", ["up", "down"])
def test_one_passes_again_after_its_interval(request, redis_is, key):
    if redis_is == "down":
        request.getfixturevalue("no_redis")
    quick = Limit("quick", 2, 1)
    assert consume(quick, key).allowed
    assert consume(quick, key).allowed
    deadline = time.monotonic() + 5
    refused = 0
    while not consume(quick, key).allowed:
        refused += 1
        assert time.monotonic() < deadline
    assert refused


def test_keys_and_limits_do_not_touch_each_other(patient, key):
    assert allowed_of_fifty(key) == 10
    assert check(TEN, f"{key}-other").remaining == 9
    assert check(Limit("other", 10, 600), key).remaining == 9


def test_a_dead_redis_costs_no_timeout_a_call(settings, key):
    settings.REDIS_URL = "redis://192.0.2.1:6379"  # TEST-NET-1: nobody answers
    check(TEN, key)
    calls = Limit("many", 1000, 600)
    begun = time.monotonic()
    for _ in range(200):
        check(calls, key)
    assert time.monotonic() - begun < 2 * limits.REDIS_TIMEOUT_SECONDS


def test_no_limits_lifts_all(settings, key):
    settings.NO_LIMITS = True
    assert allowed_of_fifty(key) == 50


def test_a_flood_of_keys_does_not_fill_the_memory(no_redis, monkeypatch, key):
    monkeypatch.setattr(limits, "MAX_LOCAL_KEYS", 100)
    for number in range(500):
        check(TEN, f"{key}-{number}")
    assert len(limits._local_arrivals) <= 100
