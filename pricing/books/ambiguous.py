"""Which prices could one event match equally well? They are refused, so that the most specific match is always one. Pure.

Equally well: of one meter and currency, equally many properties that agree where both name them, both always or in windows
that share a minute. Windows of two time zones drift against each other, so equally good matches are scheduled in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from pricing.books.schedule import open_minutes

ALWAYS: Final = ""


class Candidate(NamedTuple):
    """What a price is chosen by; `zone` is empty for one that has no schedule."""

    row: int
    group: tuple[str, str]
    match: Mapping[str, str]
    zone: str
    minutes: int


def candidate(
    row: int, meter: str, currency: str, match: Mapping[str, str], schedule: Mapping[str, object] | None
) -> Candidate:
    """A price; its schedule as stored."""
    if not schedule:
        return Candidate(row, (meter, currency), match, ALWAYS, 0)
    return Candidate(row, (meter, currency), match, str(schedule["time_zone"]), open_minutes(schedule))


def ambiguous_rows(candidates: Iterable[Candidate]) -> dict[int, tuple[int, bool]]:
    """Row -> the earliest row it clashes with, and whether it is their schedules that do. Each pair names its later row."""
    groups: dict[tuple[object, ...], dict[frozenset[str], list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for one in candidates:
        groups[*one.group, len(one.match)][frozenset(one.match)].append(one)
    clash: dict[int, tuple[int, bool]] = {}
    for by_names in groups.values():
        kinds = list(by_names.items())
        for index, (names, rows) in enumerate(kinds):
            _clashes_within(sorted(names), rows, clash)
            for other_names, other_rows in kinds[index + 1 :]:
                _clashes_between(sorted(names & other_names), rows, other_rows, clash)
    return clash


class _Taken:
    """Prices that agree in the shared properties: the first that is always open, and the minutes that others take."""

    def __init__(self) -> None:
        self.always: int | None = None
        self.minutes: dict[str, int] = defaultdict(int)
        self.scheduled: list[Candidate] = []

    def add(self, one: Candidate) -> None:
        """Take its minutes."""
        if one.zone == ALWAYS:
            self.always = one.row if self.always is None else self.always
        else:
            self.minutes[one.zone] |= one.minutes
            self.scheduled.append(one)

    def clash(self, one: Candidate) -> int | None:
        """The earliest row that takes what `one` wants."""
        if one.zone == ALWAYS:
            return self.always
        elsewhere = len(self.minutes) > (one.zone in self.minutes)
        if not elsewhere and not self.minutes.get(one.zone, 0) & one.minutes:
            return None
        return next(other.row for other in self.scheduled if other.zone != one.zone or other.minutes & one.minutes)


def _clashes_within(names: Sequence[str], rows: Sequence[Candidate], clash: dict[int, tuple[int, bool]]) -> None:
    taken: dict[tuple[str, ...], _Taken] = defaultdict(_Taken)
    for one in rows:
        place = taken[tuple(one.match[name] for name in names)]
        _note(one, place.clash(one), clash)
        place.add(one)


def _clashes_between(
    names: Sequence[str], rows: Sequence[Candidate], other_rows: Sequence[Candidate], clash: dict[int, tuple[int, bool]]
) -> None:
    taken: dict[tuple[str, ...], _Taken] = defaultdict(_Taken)
    for one in rows:
        taken[tuple(one.match[name] for name in names)].add(one)
    for one in other_rows:
        place = taken.get(tuple(one.match[name] for name in names))
        if place is not None:
            _note(one, place.clash(one), clash)


def _note(one: Candidate, other: int | None, clash: dict[int, tuple[int, bool]]) -> None:
    if other is None:
        return
    later, earlier = max(one.row, other), min(one.row, other)
    if later not in clash or earlier < clash[later][0]:
        clash[later] = (earlier, one.zone != ALWAYS)
