"""Periods from an anchor: month ends, leap days, daylight saving; shares of a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.periods import Interval, Period, days_later, period_at, period_start, share

BERLIN = "Europe/Berlin"
ZONES = ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu"]


def wall(*parts: int, zone: str = BERLIN) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[misc,arg-type]


def starts(anchor: datetime, count: int, *, interval: str = "month", zone: str = BERLIN) -> list[str]:
    moments = [period_start(anchor, interval=interval, zone=zone, number=number) for number in range(count)]
    return [moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for moment in moments]


def test_a_period_of_the_31st_starts_on_each_months_last_day_and_never_drifts() -> None:
    assert starts(wall(2027, 12, 31, 10), 7) == [
        "2027-12-31 10:00", "2028-01-31 10:00", "2028-02-29 10:00", "2028-03-31 10:00", "2028-04-30 10:00",
        "2028-05-31 10:00", "2028-06-30 10:00",
    ]  # fmt: skip


def test_a_year_from_the_leap_day_starts_on_the_28th_until_the_next_leap_year() -> None:
    found = starts(wall(2028, 2, 29), 5, interval="year")
    assert found == [f"{day} 00:00" for day in ("2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29")]


def test_the_wall_clock_stays_over_daylight_saving() -> None:
    anchor = wall(2027, 2, 15, 9)
    assert starts(anchor, 4)[-1] == "2027-05-15 09:00"
    march, april = (period_start(anchor, interval="month", zone=BERLIN, number=number) for number in (1, 2))
    assert (march.hour, april.hour) == (8, 7)  # UTC: an hour earlier once summer time began on 28 March


def test_a_time_that_is_left_out_starts_as_much_later() -> None:
    # 02:30 on 28 March 2027 does not exist in Berlin: 02:00 became 03:00.
    assert starts(wall(2027, 2, 28, 2, 30), 3)[1:] == ["2027-03-28 03:30", "2027-04-28 02:30"]


def test_a_time_that_is_there_twice_starts_the_first_time() -> None:
    twice = period_start(wall(2027, 7, 31, 2, 30), interval="month", zone=BERLIN, number=3)
    assert twice == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)  # 02:30 summer time; at 01:30 UTC it is 02:30 again


def test_the_first_period_starts_at_the_anchor_even_the_second_time_round() -> None:
    anchor = wall(2027, 10, 31, 2, 30).replace(fold=1)
    assert period_start(anchor, interval="month", zone=BERLIN, number=0) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_hours_are_elapsed_time() -> None:
    anchor = wall(2027, 3, 28, 1)
    assert starts(anchor, 3, interval=Interval.HOUR) == ["2027-03-28 01:00", "2027-03-28 03:00", "2027-03-28 04:00"]


def test_days_are_days_of_the_wall_clock() -> None:
    assert days_later(wall(2027, 3, 27, 9), days=2, zone=BERLIN) == datetime(2027, 3, 29, 7, tzinfo=UTC)


@given(
    anchor=st.integers(0, 4 * 10**15).map(
        lambda microseconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(0, 0, microseconds)
    ),
    zone=st.sampled_from(ZONES),
    interval=st.sampled_from(list(Interval)),
    number=st.integers(0, 400),
)
def test_periods_follow_each_other_without_gap(anchor: datetime, zone: str, interval: Interval, number: int) -> None:
    one, next_one = (period_at(anchor, interval=interval, zone=zone, number=index) for index in (number, number + 1))
    assert one.start < one.end == next_one.start
    assert one.end - one.start <= timedelta(days={"hour": 1, "month": 32, "year": 367}[interval])


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        # A fee of 30 for the 30 days of November.
        (1, 31, "30"),  # 30 of 30 days
        (16, 31, "15"),  # 15 of 30 days
        (1, 2, "1"),
        (31, 31, "0"),
    ],
)
def test_a_share_is_by_elapsed_time(since: int, until: int, expected: str) -> None:
    first = datetime(2027, 11, 1, tzinfo=UTC)
    november = Period(first, first + timedelta(days=30))
    part = Period(first + timedelta(days=since - 1), first + timedelta(days=until - 1))
    assert share(D(30), of=november, part=part) == D(expected)


@given(
    amount=st.decimals(0, 10**9, places=12),
    cuts=st.lists(st.integers(0, 31 * 86_400 * 10**6), max_size=12),
)
def test_shares_add_up_exactly_however_a_period_is_cut(amount: D, cuts: list[int]) -> None:
    first = datetime(2027, 1, 1, tzinfo=UTC)
    whole = Period(first, first + timedelta(days=31))
    moments = [whole.start, *sorted(first + timedelta(microseconds=cut) for cut in cuts), whole.end]
    parts = [share(amount, of=whole, part=Period(*pair)) for pair in pairwise(moments)]
    assert sum(parts) == amount
    assert min(parts) >= 0
