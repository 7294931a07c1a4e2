"""Where a moment lies in a large table whose ids ascend with time: found in O(log n), without an index on it.

An index on the time of messages would be paid for by every send. A binary search over the primary key asks
some twenty rows, whatever the table's size. ``docs/admin.md`` has the plans.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

# Neighbours may stand the other way round by the length of a transaction; for days that is nothing.
_SEARCH = """
WITH RECURSIVE search(moment, low, high) AS (
    SELECT moment, (SELECT coalesce(min(id), 1) FROM {table}), (SELECT coalesce(max(id), 0) + 1 FROM {table})
    FROM unnest(%s::timestamptz[]) AS moment
  UNION ALL
    SELECT moment,
           CASE WHEN probe.at >= moment THEN low ELSE probe.id + 1 END,
           CASE WHEN probe.at >= moment THEN (low + high) / 2 ELSE high END
    FROM search, LATERAL (
        SELECT id, {column} AS at FROM {table} WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1
    ) AS probe
    WHERE low < high
)
SELECT min(low) FROM search WHERE low >= high GROUP BY moment ORDER BY moment
"""


def first_at(model: type[models.Model], column: str, moment: datetime) -> int:
    """The id of the first row of ``moment`` or later; one more than the last where there is none."""
    return firsts_at(model, column, [moment])[0]


def firsts_at(model: type[models.Model], column: str, moments: Sequence[datetime]) -> list[int]:
    """``first_at`` for each of ``moments``, which ascend: one statement."""
    quoted = {
        "table": connection.ops.quote_name(model._meta.db_table),
        "column": connection.ops.quote_name(column),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH.format(**quoted), [list(moments)])
        found: list[Any] = cursor.fetchall()
    return [int(row[0]) for row in found]
