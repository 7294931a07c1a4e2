"""The picture of the last two weeks: three rows of bars in one SVG, and the same as a table."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import models
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from chat import access
from chat.admin.base import may_any
from chat.admin.moments import firsts_at
from chat.models import Message, ModerationAction, Report
from chatproject.database import clock

DAYS = 14
# Up to so many rows are counted one by one. Above that the ids between two days are as good: few are
# missing, those of sends that were rolled back.
MAX_COUNTED = 10_000
WIDTH, LEFT, BAND, BARS, GAP = 360, 8, 76, 44, 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a row, in the picture's units."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Series:
    """One row of the picture."""

    key: str
    label: str
    counts: list[int]
    is_exact: bool
    bars: list[Bar]
    top: int

    @property
    def base(self) -> int:
        """Where the bars stand."""
        return self.top + BAND - 8

    @property
    def total(self) -> str:
        """The sum of all days."""
        return f"{'' if self.is_exact else '≈ '}{sum(self.counts):,}"


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole picture."""

    days: list[date]
    series: list[Series]

    @property
    def height(self) -> int:
        """Of the picture, the line of days at its foot included."""
        return len(self.series) * BAND + 20

    @property
    def foot(self) -> int:
        """Where the days are written."""
        return self.height - 4

    @property
    def words(self) -> str:
        """The picture in a sentence."""
        sums = ", ".join(f"{series.total} {series.label.lower()}" for series in self.series)
        return f"From {self.days[0]:%-d %B} to {self.days[-1]:%-d %B}: {sums}."

    @property
    def rows(self) -> list[tuple[date, list[int]]]:
        """A row for each day, the newest first."""
        counts = zip(*(series.counts for series in self.series), strict=True)
        return list(zip(self.days, map(list, counts), strict=True))[::-1]


def chart(request: HttpRequest) -> Chart | None:
    """What of it the reader may see; None where that is nothing."""
    wanted: list[tuple[str, str, type[models.Model], str]] = []
    if may_any(request, "chat.view_message"):
        wanted.append(("messages", "Messages", Message, "created_at"))
    if may_any(request, "chat.view_report", access.HANDLE_REPORTS):
        wanted.append(("reports", "Reports", Report, "created_at"))
    if may_any(request, access.AUDIT):
        wanted.append(("actions", "Actions of moderators", ModerationAction, "at"))
    if not wanted:
        return None
    today = timezone.localtime(clock()).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    series = [
        _series(key, label, *per_day(model, column, days), days=days, top=row * BAND)
        for row, (key, label, model, column) in enumerate(wanted)
    ]
    return Chart(days, series)


def per_day(model: type[models.Model], column: str, days: list[date]) -> tuple[list[int], bool]:
    """How many rows each of ``days`` has, and whether this is exact. At most two statements."""
    beginnings = [_midnight(day) for day in days] + [_midnight(days[-1] + timedelta(days=1))]
    firsts = firsts_at(model, column, beginnings)
    if firsts[-1] - firsts[0] > MAX_COUNTED:
        return [after - before for before, after in pairwise(firsts)], False
    rows: Any = model._default_manager.filter(pk__gte=firsts[0], pk__lt=firsts[-1])
    by_day = rows.order_by().values_list(TruncDate(column)).annotate(count=Count("pk"))
    counts = dict(by_day)
    return [counts.get(day, 0) for day in days], True


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _series(key: str, label: str, counts: list[int], is_exact: bool, *, days: list[date], top: int) -> Series:
    most = max(counts) or 1
    step = (WIDTH - 2 * LEFT) / len(counts)
    base = top + BAND - 8
    bars = []
    for number, (day, count) in enumerate(zip(days, counts, strict=True)):
        height = round(BARS * count / most, 1) if count else 0
        height = max(height, 1.5) if count else 0
        x = round(LEFT + number * step + GAP / 2, 1)
        words = f"{day:%-d %B}: {'' if is_exact else '≈ '}{count:,}"
        bars.append(Bar(x, round(base - height, 1), round(step - GAP, 1), height, words))
    return Series(key, label, counts, is_exact, bars, top)
