"""When a price with a schedule is open: windows of the week on the wall clock of a time zone. Pure.

A window is days, from and to (`to` is not in it; "24:00" is the end of the day). One that ends at or before its beginning
goes on into the next day: Friday 22:00 to 06:00 ends on Saturday. The wall clock decides, so at the end of daylight saving
the hour that is there twice is twice in or out, and at its beginning nothing happens in the hour that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY: Final = 24 * 60
MINUTES_OF_WEEK: Final = 7 * MINUTES_OF_DAY
MAX_WINDOWS: Final = 50
MAX_MINUTES_KEPT: Final = 50_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TIME: Final = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_WINDOW_FIELDS: Final = frozenset({"days", "from", "to"})


def schedule_problems(schedule: Any) -> list[tuple[str, str]]:
    """What is wrong with a schedule as it was put forward: (field within it, what is expected there)."""
    if not isinstance(schedule, Mapping):
        return [("", "an object: time_zone and windows")]
    if not schedule:
        return []
    wrong = [(str(name)[:120], "no such field") for name in schedule if name not in {"time_zone", "windows"}]
    if not zone_is_known(schedule.get("time_zone")):
        wrong.append(("time_zone", "an IANA time zone (Europe/Berlin)"))
    windows = schedule.get("windows")
    if not isinstance(windows, Sequence) or isinstance(windows, str) or not 0 < len(windows) <= MAX_WINDOWS:
        return [*wrong, ("windows", f"1 to {MAX_WINDOWS} windows")]
    for index, window in enumerate(windows):
        wrong += [(f"windows.{index}{name}", expected) for name, expected in _window_problems(window)]
    return wrong


def stored_schedule(schedule: Mapping[str, Any] | None) -> dict[str, Any]:
    """An acceptable schedule in the one form in which it is stored and compared: days named and in the order of the week.
    Empty for none."""
    if not schedule:
        return {}
    windows = [
        {
            "days": [day for day in DAYS if day in (window.get("days") or DAYS)],
            "from": window.get("from") or "00:00",
            "to": window.get("to") or "24:00",
        }
        for window in schedule["windows"]
    ]
    return {"time_zone": schedule["time_zone"], "windows": windows}


def zone_is_known(name: Any) -> bool:
    """Is this the name of a time zone?"""
    return isinstance(name, str) and _ZONE.fullmatch(name) is not None and _is_zone(name)


@lru_cache(maxsize=4_096)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def open_minutes(schedule: Mapping[str, Any]) -> int:
    """The minutes of the week (Monday 00:00 is bit 0) in which a stored schedule is open; all of them for none."""
    if not schedule:
        return (1 << MINUTES_OF_WEEK) - 1
    minutes = 0
    for window in schedule["windows"]:
        begin, end = _minute(window["from"]), _minute(window["to"])
        length = end - begin if end > begin else end - begin + MINUTES_OF_DAY
        for day in window["days"]:
            first = DAYS.index(day) * MINUTES_OF_DAY + begin
            stretch = ((1 << length) - 1) << first
            minutes |= (stretch | stretch >> MINUTES_OF_WEEK) & ((1 << MINUTES_OF_WEEK) - 1)
    return minutes


@dataclass(slots=True)
class Openings:
    """Which of some stored schedules are open at a time, for the hot path: a dictionary look-up a minute."""

    schedules: tuple[tuple[ZoneInfo, int], ...]
    known: dict[int, tuple[bool, ...]]

    def at(self, time: datetime) -> tuple[bool, ...]:
        """Open or not, in the order of the schedules."""
        minute = (time - EPOCH) // timedelta(minutes=1)
        found = self.known.get(minute)
        if found is None:
            if len(self.known) >= MAX_MINUTES_KEPT:
                self.known.clear()
            found = self.known[minute] = tuple(_open(zone, minutes, time) for zone, minutes in self.schedules)
        return found


def openings_of(schedules: Sequence[Mapping[str, Any]]) -> Openings:
    """Of stored schedules that are not empty."""
    return Openings(tuple((ZoneInfo(one["time_zone"]), open_minutes(one)) for one in schedules), {})


def is_open(schedule: Mapping[str, Any], at: datetime) -> bool:
    """Is a stored schedule open at this time? An empty one always is."""
    return not schedule or _open(ZoneInfo(schedule["time_zone"]), open_minutes(schedule), at)


def _open(zone: ZoneInfo, minutes: int, at: datetime) -> bool:
    local = at.astimezone(zone)
    return bool(minutes >> (local.weekday() * MINUTES_OF_DAY + local.hour * 60 + local.minute) & 1)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _window_problems(window: Any) -> list[tuple[str, str]]:
    if not isinstance(window, Mapping):
        return [("", "an object: days, from, to")]
    wrong = [(f".{str(name)[:120]}", "no such field") for name in window if name not in _WINDOW_FIELDS]
    days = window.get("days")
    if days is not None:
        named = isinstance(days, Sequence) and not isinstance(days, str) and all(isinstance(day, str) for day in days)
        if not named or not days or not set(days) <= set(DAYS) or len(set(days)) < len(days):
            wrong.append((".days", f"some of {', '.join(DAYS)}, each once"))
    for name in ("from", "to"):
        text = window.get(name)
        if text is not None and not (isinstance(text, str) and _TIME.fullmatch(text)):
            wrong.append((f".{name}", "a time of day from 00:00 to 24:00"))
    if window.get("from") == "24:00":
        wrong.append((".from", "a time of day from 00:00 to 23:59"))
    begin, end = window.get("from") or "00:00", window.get("to") or "24:00"
    if not wrong and begin == end:
        wrong.append((".to", "another time than from"))
    return wrong


# --- in one cell of a table -----------------------------------------------------------------------------------------------

_CELL_WINDOW: Final = re.compile(r"([a-z]{3}(?:[,-][a-z]{3})*) ([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})", re.ASCII)


def windows_text(schedule: Mapping[str, Any]) -> str:
    """The windows of a stored schedule as people write them: `mon-fri 08:00-20:00; sat 10:00-14:00`."""
    return "; ".join(f"{_days_text(window['days'])} {window['from']}-{window['to']}" for window in schedule["windows"])


def windows_of_text(text: str) -> list[dict[str, Any]] | None:
    """What `windows_text` wrote; None when the text is something else."""
    windows = []
    for part in text.split(";"):
        found = _CELL_WINDOW.fullmatch(part.strip())
        if found is None:
            return None
        days = _days_of_text(found[1])
        if days is None:
            return None
        windows.append({"days": days, "from": found[2], "to": found[3]})
    return windows


def _days_text(days: Sequence[str]) -> str:
    """`mon-fri,sun`."""
    runs: list[list[int]] = []
    for index in sorted(map(DAYS.index, days)):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(
        DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}{'-' if len(run) > 2 else ','}{DAYS[run[-1]]}"  # noqa: PLR2004
        for run in runs
    )


def _days_of_text(text: str) -> list[str] | None:
    days: list[str] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        last = last or first
        if first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
            return None
        days += DAYS[DAYS.index(first) : DAYS.index(last) + 1]
    return days
