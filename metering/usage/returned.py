"""What a counter's charges drew and still stands: where credit goes back to when a cumulative price falls or is undone.

The charges that drew are a stack: each names the one below it, itself or by its run (`runs.py`), the counter names the top.
What goes back is taken from the top, and a charge of which nothing stands any more is left behind when the counter's top
moves down (`StandingDraws.top`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection

from metering.usage.models import ReturnedDraw
from metering.usage.runs import BELOW
from pricing.counters.counters import Place
from wallets.bulk import array_literal
from wallets.credit.give_back import Part
from wallets.money import ZERO

SOME: Final = 100  # charges of a stack read at a time
FEW: Final = 5  # of each stack when many are read: what goes back is usually found in the last


class ReturnedPart(NamedTuple):
    """A part of what a charge (event row id, line) drew, to be given back."""

    event_id: int
    line: int
    part: Part


@dataclass(slots=True)
class _Drawn:
    entry_id: int
    line_from: Decimal
    standing: Decimal
    below: Place | None


class StandingDraws:
    """What charges of counters of locked wallets drew that stands. Remembers what was taken from it, so that one instance
    serves all that one transaction gives back."""

    def __init__(self, *, bucket: int, tops: Collection[Place] = ()) -> None:
        """tops: where it will be asked to begin, of many counters: read in one query."""
        self._bucket = bucket
        self._drawn: dict[Place, _Drawn] = {}
        if tops:
            self._read(tops, depth=FEW)

    def take(self, amount: Decimal, *, meter: str, top: Place | None, first: Place | None = None) -> list[ReturnedPart]:
        """Parts that add up to `amount` (above zero) of what was drawn: of the charge `first` (event row id, line) as far as
        it goes, then of the stack from `top` down. meter: whose lines they stand on."""
        parts: list[ReturnedPart] = []
        left = amount
        for place in self._down(top, first):
            drawn = self._at(place)
            part = min(left, drawn.standing)
            if part <= ZERO:
                continue
            drawn.standing -= part
            parts.append(ReturnedPart(*place, Part(drawn.entry_id, meter, drawn.line_from + drawn.standing, part)))
            left -= part
            if left == ZERO:
                return parts
        raise AssertionError(f"{left} less has been drawn than is to go back, from charge {top} down")

    def top(self, top: Place | None) -> Place | None:
        """Where the stack that began at `top` begins now: the first charge from there down that is not known to be spent."""
        while top is not None and top in self._drawn and not self._drawn[top].standing:
            top = self._drawn[top].below
        return top

    def _down(self, top: Place | None, first: Place | None) -> Iterator[Place]:
        if first is not None:
            yield first
        while top is not None:
            yield top
            top = self._at(top).below

    def _at(self, place: Place) -> _Drawn:
        if place not in self._drawn:
            self._read([place], depth=SOME)
        return self._drawn[place]

    def _read(self, places: Collection[Place], *, depth: int) -> None:
        """Fill in these charges and what lies below them; what is known stays as it is known."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""WITH RECURSIVE stack AS (
                       SELECT c.event_id, c.line, c.entry_id, c.line_from, c.amount,
                              below.event_id AS below_event, below.line AS below_line, 1 AS depth
                       FROM unnest(%s::bigint[], %s::smallint[]) AS k(event_id, line)
                       JOIN metering_charge c ON c.bucket = %s AND c.event_id = k.event_id AND c.line = k.line
                       {BELOW}
                       UNION ALL
                       SELECT c.event_id, c.line, c.entry_id, c.line_from, c.amount, below.event_id, below.line, s.depth + 1
                       FROM stack s
                       JOIN metering_charge c ON c.bucket = %s AND c.event_id = s.below_event AND c.line = s.below_line
                       {BELOW}
                       WHERE s.depth < %s
                   )
                   SELECT s.event_id, s.line, s.entry_id, s.line_from, s.below_event, s.below_line,
                          s.amount - coalesce((SELECT sum(d.amount) FROM metering_returneddraw d
                                               WHERE d.bucket = %s AND d.event_id = s.event_id AND d.line = s.line), 0)
                   FROM stack s""",  # noqa: S608 - of a constant
                [
                    array_literal([event_id for event_id, _ in places]),
                    array_literal([line for _, line in places]),
                    self._bucket,
                    self._bucket,
                    depth,
                    self._bucket,
                ],
            )
            for event_id, line, entry_id, line_from, below_event, below_line, standing in cursor.fetchall():
                below = None if below_event is None else (below_event, below_line)
                self._drawn.setdefault((event_id, line), _Drawn(entry_id, line_from, standing, below))


def rows_of_returned(parts: list[ReturnedPart], *, by_event_id: int, by_line: int, bucket: int) -> list[ReturnedDraw]:
    """Rows that say what went back because of a charge (event row id, line); parts of one charge are one row."""
    sums: dict[Place, Decimal] = {}
    for part in parts:
        key = (part.event_id, part.line)
        sums[key] = sums.get(key, ZERO) + part.part.amount
    return [
        ReturnedDraw(bucket=bucket, event_id=event_id, line=line, amount=amount, by_event_id=by_event_id, by_line=by_line)
        for (event_id, line), amount in sums.items()
    ]
