"""The price of a period's total as a chain of straight lines: per_unit, graduated, volume, stairstep, graduated_percentage.
Pure.

Every one of these models is, within one tier, intercept + slope x total; they differ in slope and intercept only. A charge is
the difference of two points of that chain. Within one line it is slope x quantity, whatever was before: that is the quick
path, one look for the tier and one product.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from pricing.meters.measure import LARGEST_WHOLE, Quantity
from pricing.rating.explanation import PriceTerms, Rated, Rater
from pricing.rating.rounding import HALF_UP, fitting, to_charge, too_large
from wallets.money import LARGEST, QUANTUM, ZERO


class Line(NamedTuple):
    """The price of totals above `above` up to and with `up_to`: intercept + slope x total."""

    above: Decimal
    up_to: Decimal
    intercept: Decimal
    slope: Decimal

    def at(self, total: Quantity) -> Decimal:
        """The exact price of a total on this line."""
        return self.intercept + self.slope * total


Reach = Callable[[Quantity], tuple[Quantity, Decimal]]
"""For a total so far: up to which total every whole quantity above zero costs slope x quantity and nothing else, and the slope
(above zero). A rater says the same, a call each."""

NOWHERE: Final = (-1, ZERO)


class TierLine(NamedTuple):
    """A tier with its lower end, as the models see it."""

    above: Decimal
    up_to: Decimal
    unit_price: Decimal
    flat_price: Decimal


def tier_lines(price: PriceTerms) -> Iterator[TierLine]:
    """The tiers of a price over the total, free units included; the last one reaches to the largest quantity."""
    free = price.free_units
    if price.model == "per_unit":
        yield TierLine(free, LARGEST, price.unit_price, ZERO)
        return
    above = free
    for tier in price.tiers:
        up_to = LARGEST if tier.up_to is None else min(tier.up_to + free, LARGEST)
        unit_price = tier.rate.scaleb(-2) if price.model == "graduated_percentage" else tier.unit_price
        yield TierLine(above, up_to, ZERO if price.model == "stairstep" else unit_price, tier.flat_price)
        above = up_to


def _graduated(price: PriceTerms) -> Iterator[Line]:
    """Each part of the total at its own tier's price; a tier's flat price from its first unit on."""
    base = ZERO
    for tier in tier_lines(price):
        base += tier.flat_price
        yield Line(tier.above, tier.up_to, base - tier.unit_price * tier.above, tier.unit_price)
        base += tier.unit_price * (tier.up_to - tier.above)


def _volume(price: PriceTerms) -> Iterator[Line]:
    """All of the total (beyond the free units) at the price of the tier it falls in, and that tier's flat price."""
    for tier in tier_lines(price):
        yield Line(tier.above, tier.up_to, tier.flat_price - tier.unit_price * price.free_units, tier.unit_price)


LINES: Final[dict[str, Callable[[PriceTerms], Iterator[Line]]]] = {
    "per_unit": _graduated,
    "graduated": _graduated,
    "graduated_percentage": _graduated,
    "volume": _volume,
    "stairstep": _volume,
}


def lines_of(price: PriceTerms) -> tuple[Line, ...]:
    """The chain of lines, from zero to the largest quantity."""
    lines = tuple(line for line in LINES[price.model](price) if line.above < line.up_to)
    free = min(price.free_units, LARGEST)
    return (Line(ZERO, free, ZERO, ZERO), *lines) if free else lines


def total_on_lines(price: PriceTerms) -> Callable[[Quantity], Decimal]:
    """The exact price of a period's total (zero or more)."""
    lines = lines_of(price)
    bounds = [line.up_to for line in lines]

    def total(quantity: Quantity) -> Decimal:
        if quantity <= 0:  # enters no tier
            return ZERO
        index = bisect_left(bounds, quantity)
        if index == len(bounds):
            raise too_large(quantity)
        return lines[index].at(quantity)

    return total


def rater_on_lines(price: PriceTerms) -> Rater:
    """The rater of a price of tiers, or with free units."""
    lines = lines_of(price)
    total, unit_cost = total_on_lines(price), price.unit_cost
    bounds = [_whole(line.up_to) for line in lines]
    # Where a line goes on from the point where the one before ended, a charge may start at that point.
    starts = [(_whole(line.above), line.at(line.above) == total(line.above), line.slope) for line in lines]
    dearest = max(unit_cost, Decimal(1), *(line.slope for line in lines))
    # Up to here an amount fits, and a whole quantity times a price of 12 decimals is exact.
    safe = int(LARGEST_WHOLE // dearest)
    whole_is_exact = all(_has_scale(line.slope) for line in lines)

    def rate(
        quantity: Quantity,
        prior_quantity: Quantity = 0,
        prior_events: int = 0,  # noqa: ARG001 - every model's signature
        own_price: Decimal | int | None = None,  # noqa: ARG001
    ) -> Rated:
        after = prior_quantity + quantity
        index = bisect_left(bounds, after)
        if index < len(bounds) and quantity <= safe:
            above, smooth, slope = starts[index]
            if prior_quantity > above or (smooth and prior_quantity == above):
                amount, cost = slope * quantity, unit_cost * quantity
                if whole_is_exact and type(quantity) is int:
                    return amount, cost, None
                scaled = amount.quantize(QUANTUM, context=HALF_UP)
                scaled_cost = cost.quantize(QUANTUM, context=HALF_UP) if cost else cost
                if scaled == amount and scaled_cost == cost:
                    return scaled, scaled_cost, None
        return (
            fitting(to_charge(total(after)) - to_charge(total(prior_quantity))),
            fitting(to_charge(unit_cost * after) - to_charge(unit_cost * prior_quantity)),
            None,
        )

    return rate


def reach_on_lines(price: PriceTerms) -> Reach:
    """How far a price of tiers, or with free units, stays on one line."""
    lines = lines_of(price)
    total = total_on_lines(price)
    bounds = [_whole(line.up_to) for line in lines]
    starts = [(_whole(line.above), line.at(line.above) == total(line.above), line.slope) for line in lines]
    safe = int(LARGEST_WHOLE // max(price.unit_cost, Decimal(1), *(line.slope for line in lines)))
    whole_is_exact = all(_has_scale(line.slope) for line in lines)

    def reach(prior_quantity: Quantity) -> tuple[Quantity, Decimal]:
        index = bisect_right(bounds, prior_quantity)
        if index == len(bounds) or not whole_is_exact:
            return NOWHERE
        above, smooth, slope = starts[index]
        if slope <= 0 or (prior_quantity == above and not smooth):
            return NOWHERE
        return min(bounds[index], prior_quantity + safe), slope

    return reach


def _whole(bound: Decimal) -> Quantity:
    """A bound as int, which is compared more quickly; the largest quantity is cut, as the slow way knows all of it."""
    return int(bound) if bound == bound.to_integral_value() or bound == LARGEST else bound


def _has_scale(price: Decimal) -> bool:
    """Has it at most 12 decimals?"""
    return price == price.quantize(QUANTUM)
