"""Windows of the week on the wall clock, over both changes of daylight saving, in three time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.books.schedule import (
    DAYS,
    is_open,
    openings_of,
    schedule_problems,
    stored_schedule,
    windows_of_text,
    windows_text,
)

MINUTE = timedelta(minutes=1)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def schedule(zone: str, *windows: dict[str, Any]) -> dict[str, Any]:
    return stored_schedule({"time_zone": zone, "windows": list(windows)})


def window(begin: str, end: str, *days: str) -> dict[str, Any]:
    return {"days": list(days) or list(DAYS), "from": begin, "to": end}


def test_office_hours_open_at_eight_and_close_at_eight() -> None:
    office = schedule("Europe/Berlin", window("08:00", "20:00", *WEEKDAYS))
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 11, 23, tzinfo=berlin)
    assert monday.strftime("%a") == "Mon"
    times = [(7, 59, False), (8, 0, True), (19, 59, True), (20, 0, False)]
    assert [is_open(office, monday.replace(hour=hour, minute=minute)) for hour, minute, _ in times] == [
        wanted for _, _, wanted in times
    ]
    assert not is_open(office, monday.replace(hour=12) - timedelta(days=1))
    assert is_open({}, monday)


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    night = schedule("UTC", window("22:00", "06:00", "fri", "sun"))
    saturday = datetime(2026, 11, 28, tzinfo=UTC)
    assert [is_open(night, saturday + timedelta(hours=hour)) for hour in (-3, -2, 0, 5, 6, 22)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    monday = saturday + timedelta(days=2)  # Sunday's window goes on into the first minutes of the week
    assert [is_open(night, monday + timedelta(hours=hour)) for hour in (-2, 0, 5, 6)] == [True, True, True, False]


# Zone, the local hour that the change in spring leaves out and the one that the change in autumn repeats, of 2027, and the
# instants (UTC) in which the change takes effect.
CHANGES = [
    ("Europe/Berlin", "02:00", "03:00", datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC), 60),
    ("America/New_York", "02:00", "03:00", datetime(2027, 3, 14, 7, tzinfo=UTC), datetime(2027, 11, 7, 6, tzinfo=UTC), 60),
    ("Australia/Lord_Howe", "02:00", "02:30", datetime(2027, 10, 2, 15, 30, tzinfo=UTC), None, 30),
]


@pytest.mark.parametrize(("zone", "begin", "end", "spring", "autumn", "minutes"), CHANGES, ids=[row[0] for row in CHANGES])
def test_in_spring_nothing_happens_in_the_time_that_is_not_there(
    zone: str, begin: str, end: str, spring: datetime, autumn: datetime | None, minutes: int
) -> None:
    missing, after = schedule(zone, window(begin, end)), schedule(zone, window(end, "12:00"))
    around = [spring + MINUTE * offset for offset in range(-180, 180)]
    assert not any(is_open(missing, time) for time in around)
    assert [is_open(after, time) for time in (spring - MINUTE, spring)] == [False, True]


@pytest.mark.parametrize(
    ("zone", "begin", "end", "autumn", "minutes"),
    [
        ("Europe/Berlin", "02:00", "03:00", datetime(2027, 10, 31, 1, tzinfo=UTC), 60),
        ("America/New_York", "01:00", "02:00", datetime(2027, 11, 7, 6, tzinfo=UTC), 60),
        ("Australia/Lord_Howe", "01:30", "02:00", datetime(2027, 4, 3, 15, tzinfo=UTC), 30),
    ],
)
def test_in_autumn_the_time_that_is_there_twice_is_twice_in(
    zone: str, begin: str, end: str, autumn: datetime, minutes: int
) -> None:
    twice = schedule(zone, window(begin, end))
    span = [autumn + MINUTE * offset for offset in range(-minutes, minutes)]
    assert all(is_open(twice, time) for time in span)
    assert not is_open(twice, span[0] - MINUTE)
    assert not is_open(twice, span[-1] + MINUTE)


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 12), ("America/New_York", 12), ("Australia/Lord_Howe", 12)])
def test_office_hours_are_as_long_on_every_day_of_the_year_as_the_clock_says(zone: str, hours: int) -> None:
    """By day, whatever the change: 08:00 to 20:00 is twelve hours by the clock and in truth, since no change is by day."""
    office = schedule(zone, window("08:00", "20:00"))
    first = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    halves = 2 * 24 * 365
    open_halves = sum(is_open(office, first + timedelta(minutes=30 * half)) for half in range(halves))
    assert open_halves == 365 * hours * 2


def test_the_hot_path_sees_what_the_rule_says() -> None:
    schedules = [
        schedule("Europe/Berlin", window("08:00", "20:00", *WEEKDAYS)),
        schedule("America/New_York", window("22:00", "06:00")),
        schedule("Asia/Kathmandu", window("00:00", "24:00", "sun")),
    ]
    openings = openings_of(schedules)
    start = datetime(2027, 3, 12, tzinfo=UTC)
    for step in range(7 * 24 * 4):
        time = start + timedelta(minutes=15 * step, seconds=59, microseconds=999_999)
        assert openings.at(time) == tuple(is_open(one, time) for one in schedules)
        assert openings.at(time) is openings.at(time - timedelta(seconds=59))


WINDOWS = st.builds(
    lambda days, begin, end: {"days": sorted(days, key=DAYS.index), "from": _clock(begin), "to": _clock(end)},
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60),
).filter(lambda one: one["from"] != one["to"])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@given(st.lists(WINDOWS, min_size=1, max_size=5))
def test_windows_written_as_text_are_read_as_they_were(windows: list[dict[str, Any]]) -> None:
    stored = schedule("Europe/Berlin", *windows)
    assert schedule_problems(stored) == []
    assert windows_of_text(windows_text(stored)) == stored["windows"]


def test_windows_are_written_as_people_write_them() -> None:
    stored = schedule(
        "UTC", window("08:00", "20:00", *WEEKDAYS), window("10:00", "14:00", "sat", "sun"), window("22:00", "24:00")
    )
    assert windows_text(stored) == "mon-fri 08:00-20:00; sat,sun 10:00-14:00; mon-sun 22:00-24:00"


@pytest.mark.parametrize(
    "text", ["", "mon", "mon 8-20", "fri-mon 08:00-20:00", "moo 08:00-20:00", "mon 08:00-20:00;", "MON 08:00-09:00"]
)
def test_text_that_is_no_window_is_none(text: str) -> None:
    assert windows_of_text(text) is None


FINE = {"days": ["mon"], "from": "08:00", "to": "20:00"}


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("", [1]),
        ("time_zone", {"windows": [FINE]}),
        ("time_zone", {"time_zone": "Europe/Atlantis", "windows": [FINE]}),
        ("time_zone", {"time_zone": "../etc/passwd", "windows": [FINE]}),
        ("time_zone", {"time_zone": ["UTC"], "windows": [FINE]}),
        ("windows", {"time_zone": "UTC"}),
        ("windows", {"time_zone": "UTC", "windows": []}),
        ("windows", {"time_zone": "UTC", "windows": "mon"}),
        ("windows", {"time_zone": "UTC", "windows": [FINE] * 51}),
        ("windows.1", {"time_zone": "UTC", "windows": [FINE, 1]}),
        ("windows.0.days", {"time_zone": "UTC", "windows": [FINE | {"days": ["monday"]}]}),
        ("windows.0.days", {"time_zone": "UTC", "windows": [FINE | {"days": ["mon", "mon"]}]}),
        ("windows.0.days", {"time_zone": "UTC", "windows": [FINE | {"days": []}]}),
        ("windows.0.days", {"time_zone": "UTC", "windows": [FINE | {"days": [[]]}]}),
        ("windows.0.from", {"time_zone": "UTC", "windows": [FINE | {"from": "8:00"}]}),
        ("windows.0.from", {"time_zone": "UTC", "windows": [FINE | {"from": "24:00"}]}),
        ("windows.0.to", {"time_zone": "UTC", "windows": [FINE | {"to": "25:00"}]}),
        ("windows.0.to", {"time_zone": "UTC", "windows": [FINE | {"to": "08:00"}]}),
        ("windows.0.until", {"time_zone": "UTC", "windows": [FINE | {"until": "08:00"}]}),
        ("holidays", {"time_zone": "UTC", "windows": [FINE], "holidays": True}),
    ],
)
def test_a_schedule_that_is_not_acceptable_is_named_by_field(field: str, bad: Any) -> None:
    assert [name for name, _ in schedule_problems(bad)] == [field]
