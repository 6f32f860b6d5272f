"""Which periods there are, and which are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Max

from wallets.months import month_of
from wallets.periods.models import PeriodClosing

ZONE: Final = "UTC"
"""Days of the books are days of UTC, as in reports."""
CLOSES_AFTER: Final = timedelta(hours=13)
"""After a month's end in UTC it has ended in every time zone, its statements are due, and no entry dated in it is under way."""


@dataclass(frozen=True, slots=True)
class Period:
    """A month of the books of one legal entity: from, inclusive, until, exclusive."""

    entity: str
    starts_at: datetime
    ends_at: datetime

    @property
    def name(self) -> str:
        """October 2026."""
        return f"{self.starts_at:%B %Y}"

    @property
    def closes_at(self) -> datetime:
        """From when on it can be closed."""
        return self.ends_at + CLOSES_AFTER


def period_of(at: datetime) -> Period:
    """The period in which a moment lies."""
    return Period(settings.SELLER_ENTITY, *month_of(at, ZONE))


def periods_since_the_first(*, at: datetime, most: int) -> list[Period]:
    """The periods from the first that has an entry (or the present one), newest first; at most so many."""
    periods = [period_of(at)]
    first = first_entry_at()
    while first is not None and first < periods[-1].starts_at and len(periods) < most:
        periods.append(period_of(periods[-1].starts_at - timedelta(days=1)))
    return periods


def closing_of(period: Period) -> PeriodClosing | None:
    """Its closing, if it is closed."""
    closed = PeriodClosing.objects.select_related("closed_by")
    return closed.filter(entity=period.entity, starts_at=period.starts_at, state=PeriodClosing.State.CLOSED).first()


def closed_until() -> datetime | None:
    """No entry is dated before this moment any more; None: nothing is closed."""
    closed = PeriodClosing.objects.filter(state=PeriodClosing.State.CLOSED)
    until: datetime | None = closed.aggregate(until=Max("ends_at"))["until"]
    return until


def period_is_closed(*, at: datetime) -> bool:
    """Whether a journal entry dated `at` would be refused."""
    until = closed_until()
    return until is not None and at < until


def first_entry_at() -> datetime | None:
    """When the oldest entry is dated, of those that were written first (entries come about in the order of their times)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(at) FROM (SELECT at FROM wallets_journalentry ORDER BY id LIMIT 1000) AS first")
        first: datetime | None = cursor.fetchone()[0]
    return first


def has_entries_before(period: Period) -> bool:
    """Whether an entry is dated earlier than the period."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM wallets_journalentry WHERE at < %s)", [period.starts_at])
        (found,) = cursor.fetchone()
    return bool(found)
