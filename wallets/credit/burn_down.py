"""Which lots a charge draws from. Pure.

Order (DESIGN, burn-down): priority ascending, soonest expiry first (none last), not paid before paid, oldest
`effective_at`, then as listed. A lot can be drawn for usage at a time from its `effective_at` until before its
`expires_at`, on the meters of its scope. What no lot covers becomes overdraft.
"""

from __future__ import annotations

from collections.abc import Sequence
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


Covered = tuple[str, Decimal, datetime]
"""One charge to cover: its meter's code, its amount (at least zero) and the time of the usage."""


class Usage(NamedTuple):
    """A `Covered` with names."""

    meter: str
    amount: Decimal
    at: datetime


@dataclass(slots=True)
class Demand:
    """Charges to cover, in order, with what can be known of them beforehand: the total by meter, the first and the last
    time. `demand_of` finds these out."""

    charges: Sequence[Covered]
    totals: dict[str, Decimal]
    earliest: datetime
    latest: datetime


def demand_of(charges: Sequence[Covered]) -> Demand:
    """The demand of at least one charge."""
    totals: dict[str, Decimal] = {}
    for meter, amount, _ in charges:
        totals[meter] = totals.get(meter, ZERO) + amount
    times = [at for _, _, at in charges]
    return Demand(charges, totals, min(times), max(times))


class Draw(NamedTuple):
    """Part of the line of a meter, covered by a lot (None: overdraft).

    A meter's charges, laid end to end in the order given, make its line; this draw covers it from `line_from` on.
    """

    meter: str
    lot: Lot | None
    line_from: Decimal
    amount: Decimal


def burn_order(lots: Sequence[Lot]) -> list[Lot]:
    """The lots in the order in which they are drawn."""
    if len(lots) < 2:  # noqa: PLR2004
        return list(lots)
    return sorted(lots, key=lambda lot: (lot.priority, lot.expires_at or NEVER, lot.kind == "paid", lot.effective_at))


def burn_down(lots: Sequence[Lot], charges: Sequence[Covered]) -> list[Draw]:
    """Cover `charges`, one after the other, from `lots` (given as listed; put in burn order here).

    Returns the draws, per meter in line order; neighbours from the same lot are one draw. Nothing is changed.
    """
    return cover(lots, demand_of(charges)) if charges else []


def cover(lots: Sequence[Lot], demand: Demand) -> list[Draw]:
    """`burn_down` for a demand whose totals are known."""
    ordered = burn_order(lots)
    if ordered and _covers_all(ordered[0], demand):
        return [Draw(meter, ordered[0], ZERO, amount) for meter, amount in demand.totals.items() if amount]
    remaining = {lot.id: lot.remaining for lot in ordered}
    first_open = 0
    lines: dict[str, Decimal] = {}
    draws: dict[str, list[Draw]] = {}
    for meter, amount, at in demand.charges:
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


def _covers_all(lot: Lot, demand: Demand) -> bool:
    """Does this lot cover every charge? The usual case, told from the totals alone."""
    return (
        lot.effective_at <= demand.earliest
        and (lot.expires_at is None or demand.latest < lot.expires_at)
        and (not lot.meters or lot.meters.issuperset(demand.totals))
        and sum(demand.totals.values(), ZERO) <= lot.remaining
    )


def _add(draws: dict[str, list[Draw]], lines: dict[str, Decimal], meter: str, lot: Lot | None, part: Decimal) -> None:
    start = lines.get(meter, ZERO)
    of_meter = draws.setdefault(meter, [])
    if of_meter and of_meter[-1].lot is lot:
        last = of_meter[-1]
        of_meter[-1] = Draw(meter, lot, last.line_from, last.amount + part)
    else:
        of_meter.append(Draw(meter, lot, start, part))
    lines[meter] = start + part
