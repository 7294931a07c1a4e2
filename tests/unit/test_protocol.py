"""What goes over the wire."""

import pytest

from chat.realtime.protocol import error_body
from chatproject.errors import AppError, Code


@pytest.mark.parametrize(
    ("wait", "told"), [(None, None), (0.0, 0.0), (0.0004, 0.001), (1.2341, 1.235), (30.0, 30.0)]
)
def test_a_wait_is_told_in_milliseconds_and_never_shorter_than_it_is(wait, told):
    assert error_body(AppError(Code.RATE_LIMITED, retry_after=wait)).retry_after == told
