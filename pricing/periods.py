"""Periods that repeat from an anchor: hours, months and years. Pure.

Period k starts at the anchor plus k hours, months or years. Months and years are counted on the wall clock of a time zone,
each from the anchor itself and not from the period before it, so that they never drift: anchored on the 31st, a period
starts on the 28th or 29th of February and on the 31st of March. A wall clock time that a change to daylight saving leaves
out starts as much later; one that a change back shows twice starts the first time. Hours are hours of elapsed time.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from wallets.money import EXACT, to_scale

MICROSECOND: Final = timedelta(microseconds=1)
MONTHS_A_YEAR: Final = 12


class Interval(StrEnum):
    """How long a period is."""

    HOUR = "hour"
    MONTH = "month"
    YEAR = "year"


class Period(NamedTuple):
    """A stretch of time, half-open: from `start` until before `end`."""

    start: datetime
    end: datetime


def period_at(anchor: datetime, *, interval: str, zone: str, number: int) -> Period:
    """Period `number` (counted from zero) after the anchor. zone: IANA name. Times in UTC."""
    return Period(
        period_start(anchor, interval=interval, zone=zone, number=number),
        period_start(anchor, interval=interval, zone=zone, number=number + 1),
    )


def period_start(anchor: datetime, *, interval: str, zone: str, number: int) -> datetime:
    """When period `number` starts."""
    if number == 0:
        return anchor.astimezone(UTC)
    if interval == Interval.HOUR:
        return anchor.astimezone(UTC) + timedelta(hours=number)
    months = number * MONTHS_A_YEAR if interval == Interval.YEAR else number
    return months_later(anchor, months=months, zone=zone)


def months_later(moment: datetime, *, months: int, zone: str) -> datetime:
    """The same day and wall clock time `months` later; the month's last day where it has no such day."""
    wall = moment.astimezone(ZoneInfo(zone))
    years, month = divmod(wall.month - 1 + months, MONTHS_A_YEAR)
    year, month = wall.year + years, month + 1
    day = min(wall.day, monthrange(year, month)[1])
    return wall.replace(year=year, month=month, day=day, fold=0).astimezone(UTC)


def days_later(moment: datetime, *, days: int, zone: str) -> datetime:
    """The same wall clock time `days` days later."""
    wall = moment.astimezone(ZoneInfo(zone))
    return (wall.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def share(amount: Decimal, *, of: Period, part: Period) -> Decimal:
    """What `part` (within `of`) has of an amount that belongs to the whole period, by elapsed time, in 12 decimals.

    It is the difference of two rounded sums from the period's start, so the shares of parts that make up the period, however
    it is cut, add up to the amount exactly.
    """
    assert of.start <= part.start <= part.end <= of.end, (of, part)
    return _until(amount, of, part.end) - _until(amount, of, part.start)


def _until(amount: Decimal, of: Period, moment: datetime) -> Decimal:
    gone = Decimal((moment - of.start) // MICROSECOND)
    return to_scale(EXACT.divide(EXACT.multiply(amount, gone), Decimal((of.end - of.start) // MICROSECOND)))
