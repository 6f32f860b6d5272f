"""per_unit: quantity times unit price, at least the minimum charge. Pure."""

from __future__ import annotations

from decimal import Decimal

from pricing.meters.measure import LARGEST_WHOLE, Quantity
from pricing.rating.explanation import PriceTerms, Rated, Rater
from wallets.money import ZERO, to_scale


def per_unit(price: PriceTerms) -> Rater:
    """The rater of a per_unit price; what came before does not matter. A minimum charge is per event.

    The rater raises OverflowError when the amount does not fit numeric(30,12).
    """
    unit_price, unit_cost, minimum = price.unit_price, price.unit_cost, price.minimum_charge or ZERO
    # Up to here a whole quantity times a price of 12 decimals is exact and fits; above it, it is looked at.
    safe = int(LARGEST_WHOLE // max(unit_price, unit_cost, Decimal(1)))

    def linear(quantity: Quantity, prior_quantity: Quantity) -> Rated:  # noqa: ARG001 - every model's signature
        exact = Decimal(quantity)
        amount, cost = unit_price * exact, unit_cost * exact
        if type(quantity) is not int or quantity > safe:
            amount, cost = to_scale(amount), to_scale(cost)
        return amount, cost, None

    def at_least_the_minimum(quantity: Quantity, prior_quantity: Quantity) -> Rated:
        amount, cost, _ = linear(quantity, prior_quantity)
        return max(amount, minimum), cost, None

    return at_least_the_minimum if minimum else linear
