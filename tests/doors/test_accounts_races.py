"""What two people, or one person twice, do in the same moment, on real connections."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts import tokens
from accounts.actions.accounts import create_account
from accounts.actions.guests import create_guest
from accounts.actions.profile import change_display_name
from accounts.models import User
from chatproject.errors import AppError, Code

pytestmark = pytest.mark.usefixtures("committed_db")


def at_once(*functions):
    """What each returned or was refused, all started together, each on a connection of its own."""
    together = Barrier(len(functions))

    def run(function):
        together.wait(timeout=10)
        try:
            return function()
        except AppError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(run, functions))


def refusals(results):
    return [result for result in results if isinstance(result, AppError)]


@pytest.fixture
def name():
    return f"Noor {uuid.uuid4().hex[:12]}"


def test_of_two_guests_one_gets_the_name(name):
    first, second = at_once(lambda: create_guest(name), lambda: create_guest(name.upper()))
    (refusal,) = refusals([first, second])
    assert refusal.code == Code.CONFLICT
    assert refusal.fields["suggestion"][0].endswith(" 2")
    assert create_guest(refusal.fields["suggestion"][0])


def test_a_rename_and_a_newcomer_do_not_share_a_name(name):
    gil = create_guest(f"{name} b")
    results = at_once(lambda: change_display_name(gil, display_name=name), lambda: create_guest(name))
    assert [refusal.code for refusal in refusals(results)] == [Code.CONFLICT]
    assert User.objects.filter(display_name=name).count() == 1


def test_of_two_sign_ups_one_gets_the_address(name):
    email = f"{uuid.uuid4().hex}@example.org"

    def sign_up(end):
        return create_account(display_name=f"{name}{end}", email=email, password="correct horse battery")

    results = at_once(lambda: sign_up("a"), lambda: sign_up("b"))
    (refusal,) = refusals(results)
    assert refusal.code == Code.CONFLICT
    assert list(refusal.fields) == ["email"]


def test_one_of_many_concurrent_refreshes_wins(name):
    gil = create_guest(name)
    refresh = tokens.issue_pair(gil).refresh
    results = at_once(*[lambda: tokens.refresh_pair(refresh)] * 4)
    pairs = [result for result in results if isinstance(result, tokens.TokenPair)]
    assert len(pairs) == 1
    # The others were replays, which end the family.
    with pytest.raises(AppError):
        tokens.refresh_pair(pairs[0].refresh)
