"""What rating says about a charge: frozen, serialisable. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from pricing.meters.measure import Quantity


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """A price as rating needs it, whatever table it came from."""

    id: int
    model: str
    unit_price: Decimal
    unit_cost: Decimal
    minimum_charge: Decimal | None = None


class TierUsed(NamedTuple):
    """The part of a quantity that one tier priced."""

    up_to: Decimal | None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


Rated = tuple[Decimal, Decimal, "tuple[TierUsed, ...] | None"]
"""What a quantity costs: the amount, our cost (both at most 12 decimals), and the tiers used (None when there are none)."""

Rater = Callable[[Quantity, Quantity], Rated]
"""Quantity and the quantity charged before it in the period (both in meter units) -> Rated."""
