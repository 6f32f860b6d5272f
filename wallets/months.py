"""The calendar month of a time zone: in which cumulative prices add up, what a month may cost, what a
statement covers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DECEMBER: Final = 12


def month_of(time: datetime, zone: str) -> tuple[datetime, datetime]:
    """The calendar month, in the zone (an IANA name), in which `time` lies: from, inclusive, and until, exclusive, in UTC."""
    local = time.astimezone(_zone(zone))
    return _month(local.year, local.month, zone)


@lru_cache(maxsize=4_096)
def _month(year: int, month: int, zone: str) -> tuple[datetime, datetime]:
    following = (year + 1, 1) if month == DECEMBER else (year, month + 1)
    here = _zone(zone)
    first, after = (datetime(*one, 1, tzinfo=here).astimezone(UTC) for one in ((year, month), following))
    return first, after


_zone = lru_cache(maxsize=1_024)(ZoneInfo)
