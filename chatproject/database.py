"""What everything shares of the database. Its clock is the only clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import DateTimeField, Func

from chatproject.errors import AppError, Code

RETRY_AFTER_SECONDS = 1.0


class ClockTimestamp(Func):
    """``clock_timestamp()``: the moment the expression runs, not the start of the transaction."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = DateTimeField()


def clock() -> datetime:
    """The database's clock now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


@contextmanager
def snapshot() -> Iterator[None]:
    """One read-only moment: every statement inside sees the same state of the database."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    """Tells a database that is away, full or locked as ``unavailable``, which is worth a retry.

    A connection lost in COMMIT lands here too: the caller repeats and the repeat is deduplicated.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise AppError(Code.UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS) from error
