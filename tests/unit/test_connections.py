"""What is counted of sockets in the process: their budget fills again, and their address is forgotten."""

import pytest

from chat.realtime import addresses, budget
from chat.realtime.addresses import Addresses
from chat.realtime.budget import BYTES_PER_SOCKET, FRAMES_PER_SOCKET, PER_SECONDS, Budget
from chatproject.errors import AppError, Code


@pytest.fixture
def clock(monkeypatch):
    """The budget's clock, which stands still until it is moved."""
    now = [1000.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    return now


def test_so_many_frames_pass_at_once_and_then_as_fast_as_the_budget_fills(clock):
    mine = Budget()
    assert [mine.spend("x") for _ in range(FRAMES_PER_SOCKET)] == [None] * FRAMES_PER_SOCKET
    wait = mine.spend("x")
    assert wait == pytest.approx(PER_SECONDS / FRAMES_PER_SOCKET)
    clock[0] += wait + 0.001
    assert (mine.spend("x"), mine.spend("x") is None) == (None, False)


@pytest.mark.parametrize("letter", ["x", "ü", "😀", "\ud800"])
def test_bytes_are_counted_not_letters(clock, letter):
    size = len(letter.encode("utf-8", "surrogatepass"))
    mine, half = Budget(), letter * (BYTES_PER_SOCKET // size // 2)
    assert (mine.spend(half), mine.spend(half)) == (None, None)
    assert mine.spend(letter * 100) == pytest.approx(PER_SECONDS * 100 * size / BYTES_PER_SOCKET, rel=0.1)
    assert mine.spend(b"x" * 100) is not None


def test_an_address_has_so_many_connections_and_fewer_without_a_name(monkeypatch):
    monkeypatch.setattr(addresses, "MAX_PER_ADDRESS", 3)
    monkeypatch.setattr(addresses, "MAX_NAMELESS_PER_ADDRESS", 2)
    all_ = Addresses()

    def is_full():
        with pytest.raises(AppError) as refusal:
            all_.take("here")
        return refusal.value.code is Code.RATE_LIMITED and refusal.value.retry_after > 0

    first, second = all_.take("here"), all_.take("here")
    assert is_full()
    first.name()
    first.name()
    third = all_.take("here")
    second.name()
    assert is_full()
    assert all_.take("there").leave() is None
    for seat in (first, second, third):
        seat.leave()
        seat.leave()
    assert not all_._all and not all_._nameless
