"""Which lots a charge draws from. Pure.

Order (DESIGN, burn-down): priority ascending, soonest expiry first (none last), not paid before paid, oldest
`effective_at`, then as listed. A lot can be drawn for usage at a time from its `effective_at` until before its
`expires_at`, on the meters of its scope. What no lot covers becomes overdraft.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from wallets.money import ZERO

NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """A lot as the choice sees it. `remaining` is what it holds before the draws."""

    id: int
    kind: str
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    remaining: Decimal
    meters: frozenset[str] = field(default=frozenset())

    def covers(self, meter: str, at: datetime) -> bool:
        """May usage of `meter` at `at` draw from this lot?"""
        return (
            self.effective_at <= at
            and (self.expires_at is None or at < self.expires_at)
            and (not self.meters or meter in self.meters)
        )


class Usage(NamedTuple):
    """One charge to cover: its meter's code, its amount (at least zero) and the time of the usage."""

    meter: str
    amount: Decimal
    at: datetime


class Draw(NamedTuple):
    """Part of the line of a meter, covered by a lot (None: overdraft).

    A meter's charges, laid end to end in the order given, make its line; this draw covers it from `line_from` on.
    """

    meter: str
    lot: Lot | None
    line_from: Decimal
    amount: Decimal


def burn_order(lots: Iterable[Lot]) -> list[Lot]:
    """The lots in the order in which they are drawn."""
    return sorted(lots, key=lambda lot: (lot.priority, lot.expires_at or NEVER, lot.kind == "paid", lot.effective_at))


def burn_down(lots: Sequence[Lot], charges: Sequence[Usage]) -> list[Draw]:
    """Cover `charges`, one after the other, from `lots` (given as listed; put in burn order here).

    Returns the draws, per meter in line order; neighbours from the same lot are one draw. Nothing is changed.
    """
    ordered = burn_order(lots)
    if ordered:
        single = _all_from_one(ordered[0], charges)
        if single is not None:
            return single
    remaining = {lot.id: lot.remaining for lot in ordered}
    first_open = 0
    lines: dict[str, Decimal] = {}
    draws: dict[str, list[Draw]] = {}
    for meter, amount, at in charges:
        while first_open < len(ordered) and remaining[ordered[first_open].id] == ZERO:
            first_open += 1
        left = amount
        for lot in ordered[first_open:]:
            if left == ZERO:
                break
            if remaining[lot.id] > ZERO and lot.covers(meter, at):
                part = min(left, remaining[lot.id])
                remaining[lot.id] -= part
                left -= part
                _add(draws, lines, meter, lot, part)
        if left > ZERO:
            _add(draws, lines, meter, None, left)
    return [draw for of_meter in draws.values() for draw in of_meter]


def _all_from_one(lot: Lot, charges: Sequence[Usage]) -> list[Draw] | None:
    """The draws when the first lot covers everything: the usual case, in one pass."""
    totals: dict[str, Decimal] = {}
    effective_at, expires_at = lot.effective_at, lot.expires_at or NEVER
    for meter, amount, at in charges:
        if not effective_at <= at < expires_at:
            return None
        totals[meter] = totals.get(meter, ZERO) + amount
    if sum(totals.values(), ZERO) > lot.remaining or (lot.meters and not lot.meters.issuperset(totals)):
        return None
    return [Draw(meter, lot, ZERO, amount) for meter, amount in totals.items() if amount > ZERO]


def _add(draws: dict[str, list[Draw]], lines: dict[str, Decimal], meter: str, lot: Lot | None, part: Decimal) -> None:
    start = lines.get(meter, ZERO)
    of_meter = draws.setdefault(meter, [])
    if of_meter and of_meter[-1].lot is lot:
        last = of_meter[-1]
        of_meter[-1] = Draw(meter, lot, last.line_from, last.amount + part)
    else:
        of_meter.append(Draw(meter, lot, start, part))
    lines[meter] = start + part
