"""Rating: a price, a quantity and what was used before -> a charge. Pure: no database, no clock.

The models are one table. A model in NEEDS_PRIOR_QUANTITY is rated under the wallet's lock with the quantity charged before
in the period; the others anywhere, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pricing.meters.measure import Quantity
from pricing.rating.explanation import PriceTerms, Rated, Rater
from pricing.rating.per_unit import per_unit

MODELS: Final[dict[str, Callable[[PriceTerms], Rater]]] = {
    "per_unit": per_unit,
}

NEEDS_PRIOR_QUANTITY: Final[frozenset[str]] = frozenset()


def rater_of(price: PriceTerms) -> Rater:
    """The function that rates quantities at this price; for many charges at one price."""
    return MODELS[price.model](price)


def rate(price: PriceTerms, quantity: Quantity, *, prior_quantity: Quantity = 0) -> Rated:
    """What `quantity` (meter units) costs at `price`, given the quantity charged before it in the period.

    Raises OverflowError when the amount does not fit numeric(30,12).
    """
    return rater_of(price)(quantity, prior_quantity)
