"""What prices mean, worked out once more and otherwise: in fractions, straight from the definitions, slowly.

Nothing here imports rating but the words it is told (PriceTerms).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from pricing.rating.explanation import PriceTerms


def total_price(terms: PriceTerms, total: Any) -> Fraction:
    """What a period's total costs, exactly."""
    beyond = max(Fraction(total) - Fraction(terms.free_units), Fraction(0))
    if terms.model == "per_unit":
        return Fraction(terms.unit_price) * beyond
    if terms.model == "package":
        return Fraction(terms.package_price or 0) * math.ceil(beyond / Fraction(terms.package_size or 1))
    if beyond == 0:
        return Fraction(0)
    ends = [math.inf if tier.up_to is None else Fraction(tier.up_to) for tier in terms.tiers]
    starts = [Fraction(0), *ends[:-1]]
    if terms.model in ("volume", "stairstep"):
        tier = terms.tiers[sum(beyond > end for end in ends)]
        return Fraction(tier.flat_price) + (beyond * Fraction(tier.unit_price) if terms.model == "volume" else 0)
    price = Fraction(0)
    for tier, start, end in zip(terms.tiers, starts, ends, strict=True):
        if beyond > start:
            each = Fraction(tier.rate) / 100 if terms.model == "graduated_percentage" else Fraction(tier.unit_price)
            price += Fraction(tier.flat_price) + each * (min(beyond, end) - Fraction(start))
    return price


def event_price(terms: PriceTerms, quantity: Any, before: list[Any], own_price: Any = None, *, prior: Any = 0) -> Fraction:
    """What an event of a price per event costs after the quantities `before` of the same period, exactly.

    prior: used before those, by nobody knows how many events.
    """
    if terms.model == "dynamic":
        price = Fraction(own_price)
    elif terms.model == "percentage":
        price = _percentage(terms, Fraction(quantity), [Fraction(one) for one in before], Fraction(prior))
    else:
        so_far = sum(map(Fraction, before), Fraction(prior))
        price = total_price(terms, so_far + Fraction(quantity)) - total_price(terms, so_far)
    return max(price, Fraction(terms.minimum_charge)) if terms.minimum_charge else price


def _percentage(terms: PriceTerms, quantity: Fraction, before: list[Fraction], prior: Fraction) -> Fraction:
    share = terms.percentage
    assert share is not None
    limits = (share.free_events, share.free_amount)
    if limits != (None, None) and (share.free_events is None or len(before) + 1 <= share.free_events):
        running = prior + sum(before) + quantity
        if share.free_amount is None or running <= Fraction(share.free_amount):
            return Fraction(0)
        quantity = min(quantity, running - Fraction(share.free_amount))
    price = Fraction(share.rate) * quantity / 100 + Fraction(share.fixed)
    if share.minimum is not None and price < share.minimum:
        price = Fraction(share.minimum)
    if share.maximum is not None and price > share.maximum:
        price = Fraction(share.maximum)
    return price


def rounded(exact: Fraction) -> Fraction:
    """To 12 decimals, half up."""
    return Fraction(math.floor(exact * 10**12 + Fraction(1, 2)), 10**12)
