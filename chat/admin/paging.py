"""Pages of large lists, without a count of the whole."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

# Counting stops here, and so do the pages: what lies further back is found by a filter.
MAX_COUNTED = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than MAX_COUNTED, so that a page costs the same in a list of any length."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows) if isinstance(rows, list) else rows.order_by()[: MAX_COUNTED + 1].count()

    @property
    def is_cut(self) -> bool:
        """Whether there is more than can be paged to."""
        return self.count > MAX_COUNTED
