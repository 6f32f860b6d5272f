"""The window a spend cap counts in: a day or a month of the account's own time zone, or all time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from wallets.months import month_of

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def window_of(window: str, time: datetime, zone: str) -> tuple[datetime, datetime | None]:
    """From when, inclusive, and until when, exclusive (None: never), the window lasts in which `time` lies; in UTC.

    window: day, month or total.  zone: an IANA name. A day of 23 or 25 hours is one.
    """
    if window == "total":
        return EPOCH, None
    if window == "month":
        return month_of(time, zone)
    here = ZoneInfo(zone)
    midnight = time.astimezone(here).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = datetime.combine(midnight.date() + timedelta(days=1), midnight.time(), here)
    return midnight.astimezone(UTC), following.astimezone(UTC)


def microseconds(moment: datetime | None) -> int:
    """Since 1970; 0 for never."""
    return 0 if moment is None else (moment - EPOCH) // MICROSECOND
