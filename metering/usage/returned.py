"""What a counter's charges drew and still stands: where credit goes back to when a cumulative price falls or is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection

from metering.usage.models import ReturnedDraw
from wallets.credit.give_back import Part
from wallets.money import ZERO

SOME: Final = 100  # charges read at a time: what goes back is usually found in the last few


class ReturnedPart(NamedTuple):
    """A part of what a charge (event row id, line) drew, to be given back."""

    event_id: int
    line: int
    part: Part


@dataclass(slots=True)
class _Standing:
    event_id: int
    line: int
    place: int
    entry_id: int
    line_from: Decimal
    amount: Decimal


class StandingDraws:
    """The draws of one counter (of a locked wallet) that stand, taken from the last on. Remembers what was taken from it, so
    that one instance serves all that one transaction gives back."""

    def __init__(self, counter_id: int, *, meter: str, bucket: int) -> None:
        self._counter_id, self._meter, self._bucket = counter_id, meter, bucket
        self._taken: dict[tuple[int, int], Decimal] = {}

    def take(self, amount: Decimal, *, before_place: int, first: tuple[int, int] | None = None) -> list[ReturnedPart]:
        """Parts that add up to `amount` (above zero) of what was drawn by charges before `before_place`: of the charge `first`
        (event row id, line), as far as it goes, then of those that drew last."""
        parts: list[ReturnedPart] = []
        left = amount
        for draw in self._standing(before_place, first):
            key = (draw.event_id, draw.line)
            standing = draw.amount - self._taken.get(key, ZERO)
            part = min(left, standing)
            if part <= ZERO:
                continue
            self._taken[key] = self._taken.get(key, ZERO) + part
            place = Part(draw.entry_id, self._meter, draw.line_from + standing - part, part)
            parts.append(ReturnedPart(*key, place))
            left -= part
            if left == ZERO:
                return parts
        raise AssertionError(f"counter {self._counter_id} has drawn {left} less than is to go back")

    def _standing(self, before_place: int, first: tuple[int, int] | None) -> Iterator[_Standing]:
        if first is not None:
            yield from self._read("AND c.event_id = %s AND c.line = %s", first)
        place = before_place
        while True:
            some = self._read("AND c.counter_place < %s", (place,))
            yield from some
            if len(some) < SOME:
                return
            place = some[-1].place

    def _read(self, condition: str, values: tuple[int, ...]) -> list[_Standing]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT c.event_id, c.line, c.counter_place, c.entry_id, c.line_from, c.amount - coalesce(r.returned, 0)
                    FROM metering_charge c
                    LEFT JOIN LATERAL (
                        SELECT sum(d.amount) AS returned FROM metering_returneddraw d
                        WHERE d.bucket = %s AND d.event_id = c.event_id AND d.line = c.line
                    ) r ON true
                    WHERE c.bucket = %s AND c.counter_id = %s AND c.amount > coalesce(r.returned, 0) {condition}
                    ORDER BY c.counter_place DESC LIMIT {SOME}""",  # noqa: S608 - of constants
                [self._bucket, self._bucket, self._counter_id, *values],
            )
            return [_Standing(*row) for row in cursor.fetchall()]


def rows_of_returned(parts: list[ReturnedPart], *, by_event_id: int, by_line: int, bucket: int) -> list[ReturnedDraw]:
    """Rows that say what went back because of a charge (event row id, line); parts of one charge are one row."""
    sums: dict[tuple[int, int], Decimal] = {}
    for part in parts:
        key = (part.event_id, part.line)
        sums[key] = sums.get(key, ZERO) + part.part.amount
    return [
        ReturnedDraw(bucket=bucket, event_id=event_id, line=line, amount=amount, by_event_id=by_event_id, by_line=by_line)
        for (event_id, line), amount in sums.items()
    ]
