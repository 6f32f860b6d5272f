"""What all customers used: consumption in a span of time and by day (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from metering.ingest.models import DeadLetter
from metering.usage.days import usage_rows_sql
from metering.usage.queries import DaySpend
from wallets.money import ZERO

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Consumption:
    """One currency, in a span of time: what was charged, what it cost us, how many charges."""

    currency: str
    amount: Decimal
    cost: Decimal
    charges: int


def consumption(*, start: datetime, end: datetime) -> list[Consumption]:
    """By currency, of hours from `start` until before `end`, the largest amount first."""
    rows, values = usage_rows_sql(start=start, end=end, by_account=False)
    with connection.cursor() as cursor:
        cursor.execute(_BY_CURRENCY.format(rows=rows), values)
        return [Consumption(*row) for row in cursor.fetchall()]


def consumption_by_day(*, currency: str, last_day: date, days: int) -> list[DaySpend]:
    """Each of the `days` days (UTC) up to and including `last_day`, oldest first; empty ones too."""
    first_day = last_day - timedelta(days=days - 1)
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
    rows, values = usage_rows_sql(start=start, end=start + days * DAY, currency=currency, by_account=False)
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY.format(rows=rows), values)
        sums = {day: (amount, charges) for day, amount, charges in cursor.fetchall()}
    every_day = (first_day + timedelta(days=number) for number in range(days))
    return [DaySpend(day, *sums.get(day, (ZERO, 0))) for day in every_day]


def unrated_events() -> QuerySet[DeadLetter]:
    """The events that wait for a price (a partial index finds them)."""
    return DeadLetter.objects.filter(replayed_at__isnull=True)


_BY_CURRENCY: Final = """
    SELECT currency, sum(amount), sum(cost), sum(events)::bigint FROM ({rows}) AS h GROUP BY currency ORDER BY 2 DESC, currency
"""
_BY_DAY: Final = "SELECT day, sum(amount), sum(events)::bigint FROM ({rows}) AS h GROUP BY day"
