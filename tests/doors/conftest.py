"""What several doors' tests stand on."""

import pytest

from chat import roles
from tests.scenes import employ, forget_rules


@pytest.fixture
def fresh_rules():
    """For tests that write automod rules and are rolled back: the next one reads its own."""
    forget_rules()
    yield
    forget_rules()


@pytest.fixture
def no_limits(settings):
    settings.NO_LIMITS = True


@pytest.fixture
def root():
    """A superuser."""
    return employ(root=True)


@pytest.fixture
def moderator():
    """Staff with the permissions of moderators."""
    return employ(roles.MODERATORS)
