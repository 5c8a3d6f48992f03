"""Pages of long lists that never count what nobody will read."""

from __future__ import annotations

from functools import cached_property

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

CAP = 10_000


class CappedPaginator(Paginator):
    """Counts at most `CAP` + 1 rows: beyond that a page says `>10,000` and a filter is the way on."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        """Rows, or `CAP` + 1 when there are more."""
        return self.object_list.order_by()[: CAP + 1].count()


def page_of(rows: QuerySet, number: str | None, size: int = 50) -> Page:
    """The page with that number; a number out of range or not a number gives the nearest one."""
    return CappedPaginator(rows, size).get_page(number)
