"""per_unit without free units: quantity times unit price; what came before does not matter. Pure.

With free units it is a line with a bend, which `lines.py` knows.
"""

from __future__ import annotations

from decimal import Decimal

from pricing.meters.measure import LARGEST_WHOLE, Quantity
from pricing.rating.explanation import PriceTerms, Rated, Rater
from pricing.rating.rounding import fitting, to_charge


def per_unit(price: PriceTerms) -> Rater:
    """The rater of a flat price. With a minimum charge every event is rated for itself; without one it answers None for a
    product that 12 decimals do not hold."""
    unit_price, unit_cost, minimum = price.unit_price, price.unit_cost, price.minimum_charge
    # Up to here a whole quantity times a price of 12 decimals is exact and fits; above it, it is looked at.
    safe = int(LARGEST_WHOLE // max(unit_price, unit_cost, Decimal(1)))

    def linear(
        quantity: Quantity,
        prior_quantity: Quantity = 0,  # noqa: ARG001 - every model's signature
        prior_events: int = 0,  # noqa: ARG001
        own_price: Decimal | int | None = None,  # noqa: ARG001
    ) -> Rated | None:
        amount, cost = unit_price * quantity, unit_cost * quantity
        if type(quantity) is not int or quantity > safe:
            exact = amount, cost
            amount, cost = fitting(to_charge(amount)), fitting(to_charge(cost))
            if exact != (amount, cost):
                return None
        return amount, cost, None

    def at_least_the_minimum(
        quantity: Quantity,
        prior_quantity: Quantity = 0,  # noqa: ARG001
        prior_events: int = 0,  # noqa: ARG001
        own_price: Decimal | int | None = None,  # noqa: ARG001
    ) -> Rated:
        amount, cost = fitting(to_charge(unit_price * quantity)), fitting(to_charge(unit_cost * quantity))
        return max(amount, minimum or amount), cost, None

    return at_least_the_minimum if minimum else linear
