"""What all customers used: consumption by day, from the hourly roll-ups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from metering.ingest.models import DeadLetter
from metering.usage.models import HourlyUsage
from metering.usage.queries import DaySpend
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class Consumption:
    """One currency, in a span of time: what was charged, what it cost us, how many charges."""

    currency: str
    amount: Decimal
    cost: Decimal
    charges: int


def consumption(*, start: datetime, end: datetime) -> list[Consumption]:
    """By currency, from `start` until before `end`, the largest amount first."""
    rows = (
        HourlyUsage.objects.filter(hour__gte=start, hour__lt=end)
        .values("currency")
        .annotate(amount_sum=Sum("amount"), cost_sum=Sum("cost"), charges=Sum("events"))
        .order_by("-amount_sum", "currency")
    )
    return [Consumption(row["currency"], row["amount_sum"], row["cost_sum"], row["charges"]) for row in rows]


def consumption_by_day(*, currency: str, last_day: date, days: int, zone: tzinfo) -> list[DaySpend]:
    """Each of the `days` days up to and including `last_day`, oldest first; empty ones too."""
    first_day = last_day - timedelta(days=days - 1)
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=zone)
    end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=zone) + timedelta(days=1)
    rows = (
        HourlyUsage.objects.filter(hour__gte=start, hour__lt=end, currency=currency)
        .annotate(day=TruncDate("hour", tzinfo=zone))
        .values("day")
        .annotate(amount_sum=Sum("amount"), charges=Sum("events"))
        .order_by("day")
    )
    sums = {row["day"]: (row["amount_sum"], row["charges"]) for row in rows}
    every_day = (first_day + timedelta(days=number) for number in range(days))
    return [DaySpend(day, *sums.get(day, (ZERO, 0))) for day in every_day]


def unrated_events() -> QuerySet[DeadLetter]:
    """The events that wait for a price (a partial index finds them)."""
    return DeadLetter.objects.filter(replayed_at__isnull=True)
