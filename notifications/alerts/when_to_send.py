"""When a mail goes to its recipient: at once, after the quiet hours, or gathered with others. Pure.

What is mandatory always goes at once. What is not waits for the end of the recipient's quiet hours; comes once a day for who
wants that; and when too many came within an hour, the rest is gathered into one mail: held back, never lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

WINDOW: Final = timedelta(hours=1)
MOST_IN_WINDOW: Final = 20
"""Mails to one recipient within WINDOW; more that can wait are gathered. Ten in six days were too many for people; this is for
programs that go wrong."""
DIGEST_AT: Final = time(8)
"""Of the recipient's day."""


class Manner(NamedTuple):
    """How a recipient wants to be told. quiet_from, quiet_until: of its time zone, half-open; None: no quiet hours."""

    zone: ZoneInfo
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest: bool = False


class Verdict(NamedTuple):
    """until: not before; None: now. gather: then together with others. why: in words."""

    until: datetime | None = None
    gather: bool = False
    why: str = ""


NOW: Final = Verdict()


def decide_when(manner: Manner, *, mandatory: bool, gathered: bool, sent_lately: int, at: datetime) -> Verdict:
    """When a mail that is due goes. gathered: it is one of those that hold others. sent_lately: mails to the recipient within
    WINDOW before `at`."""
    if mandatory:
        return NOW
    quiet = quiet_end(manner, at)
    if not gathered:
        if manner.digest:
            return Verdict(next_digest(manner, at), gather=True, why="once a day")
        if sent_lately >= MOST_IN_WINDOW:
            return Verdict(at + WINDOW, gather=True, why=f"more than {MOST_IN_WINDOW} mails in an hour")
    return NOW if quiet is None else Verdict(quiet, why="quiet hours")


def quiet_end(manner: Manner, at: datetime) -> datetime | None:
    """When the quiet hours end that `at` is in; None outside of them."""
    start, end = manner.quiet_from, manner.quiet_until
    if start is None or end is None or start == end:
        return None
    here = at.astimezone(manner.zone)
    clock = here.time()
    inside = start <= clock < end if start < end else clock >= start or clock < end
    if not inside:
        return None
    tomorrow = start > end and clock >= start
    return _next(end, here, manner.zone, days=1 if tomorrow else 0)


def next_digest(manner: Manner, at: datetime) -> datetime:
    """When the mails of a day come: DIGEST_AT, or when the quiet hours end that it is in."""
    moment = _next(DIGEST_AT, at.astimezone(manner.zone), manner.zone, days=0)
    return quiet_end(manner, moment) or moment


def _next(clock: time, here: datetime, zone: ZoneInfo, *, days: int) -> datetime:
    """The next time after `here` that clocks show `clock`, on its day or `days` later; also when the hour comes twice."""
    for day in (here.date() + timedelta(days=days), here.date() + timedelta(days=days + 1)):
        for fold in (0, 1):
            moment = datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
            if moment > here.astimezone(UTC):
                return moment
    raise AssertionError("tomorrow comes")
