"""Which tiers priced a charge, exactly. Pure.

The lines' amounts add up to the exact amount of the charge (without a minimum charge), their quantities to its quantity
beyond the free units. A graduated price has a line for each tier the quantity reached into. Volume and stairstep price the
total: within one tier that is one line; a charge that moves the total into another tier has two, what the total costs now
and, negative, what it had cost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pricing.meters.measure import Quantity
from pricing.rating.explanation import PriceTerms, TierUsed
from pricing.rating.lines import TierLine, tier_lines
from wallets.money import LARGEST, ZERO

GRADUATED: Final = frozenset({"graduated", "graduated_percentage"})
BY_TOTAL: Final = frozenset({"volume", "stairstep"})


def tiers_used(price: PriceTerms, quantity: Quantity, prior_quantity: Quantity = 0) -> tuple[TierUsed, ...]:
    """The tiers that priced `quantity` (negative: taken back) after `prior_quantity`; none for a model without tiers."""
    before, after = Decimal(prior_quantity), Decimal(prior_quantity) + quantity
    if price.model in GRADUATED:
        if after < before:
            return tuple(
                TierUsed(used.up_to, -used.quantity, used.unit_price, ZERO - used.amount)
                for used in reversed(_graduated(price, after, before))
            )
        return _graduated(price, before, after)
    if price.model in BY_TOTAL:
        return _by_total(price, before, after)
    return ()


def _graduated(price: PriceTerms, before: Decimal, after: Decimal) -> tuple[TierUsed, ...]:
    used = []
    for tier in tier_lines(price):
        part = min(after, tier.up_to) - max(before, tier.above)
        if part > ZERO:
            flat = tier.flat_price if before <= tier.above else ZERO
            used.append(TierUsed(_up_to(price, tier), part, tier.unit_price, part * tier.unit_price + flat))
    return tuple(used)


def _by_total(price: PriceTerms, before: Decimal, after: Decimal) -> tuple[TierUsed, ...]:
    now, then = _tier_of(price, after), _tier_of(price, before)
    if now == then:
        if now is None or after == before:
            return ()
        part = after - before
        return (TierUsed(_up_to(price, now), part, now.unit_price, part * now.unit_price),)
    used = []
    if now is not None:
        beyond = after - price.free_units
        used.append(TierUsed(_up_to(price, now), beyond, now.unit_price, beyond * now.unit_price + now.flat_price))
    if then is not None:
        beyond = before - price.free_units
        used.append(TierUsed(_up_to(price, then), -beyond, then.unit_price, ZERO - beyond * then.unit_price - then.flat_price))
    return tuple(used)


def _tier_of(price: PriceTerms, total: Decimal) -> TierLine | None:
    """The tier a total falls in; None for one of free units only."""
    return next((tier for tier in tier_lines(price) if tier.above < total <= tier.up_to), None)


def _up_to(price: PriceTerms, tier: TierLine) -> Decimal | None:
    """The end of a tier as the price states it: beyond the free units, None when it is open."""
    return None if tier.up_to == LARGEST else tier.up_to - price.free_units
