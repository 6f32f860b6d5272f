"""What rating is told and what it says about a charge: frozen, serialisable. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from pricing.meters.measure import Quantity
from wallets.money import ZERO


class Tier(NamedTuple):
    """A tier of a quantity, up to and with `up_to` (None: without end). `rate` is in percent, of graduated_percentage."""

    up_to: Decimal | None
    unit_price: Decimal = ZERO
    flat_price: Decimal = ZERO
    rate: Decimal = ZERO


class Percentage(NamedTuple):
    """`rate` percent of the event's quantity and `fixed`, at least `minimum`, at most `maximum`. An event is free while it is
    among the first `free_events` and the running amount stays within `free_amount` (each if set)."""

    rate: Decimal
    fixed: Decimal = ZERO
    free_events: int | None = None
    free_amount: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """A price as rating needs it, whatever table it came from.

    minimum_charge: per event; None and zero are none.  free_units: the first of a period, they cost nothing and no tier
    counts them.  price_property: the property of the event that says what it costs (dynamic).  counter_id: the price whose
    running totals this one goes on with; 0: its own.
    """

    id: int
    model: str
    unit_price: Decimal
    unit_cost: Decimal
    minimum_charge: Decimal | None = None
    package_size: Decimal | None = None
    package_price: Decimal | None = None
    free_units: Decimal = ZERO
    tiers: tuple[Tier, ...] = ()
    percentage: Percentage | None = None
    price_property: str = ""
    counter_id: int = 0


class TierUsed(NamedTuple):
    """The part of a quantity that one tier priced, its flat price included when this charge owes it. Negative: given back."""

    up_to: Decimal | None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


Rated = tuple[Decimal, Decimal, "tuple[TierUsed, ...] | None"]
"""What a quantity costs: the amount, our cost (both at most 12 decimals), and the tiers used when they were asked for; a
rater leaves them out (None), `pricing.rating.tiers_used` finds them."""


class Rater(Protocol):
    """Rates one event after another at one price."""

    def __call__(
        self,
        quantity: Quantity,
        prior_quantity: Quantity = 0,
        prior_events: int = 0,
        own_price: Decimal | int | None = None,
    ) -> Rated | None:
        """What `quantity` costs (meter units).

        prior_quantity, prior_events: charged before it in the period, of the same wallet and price.  own_price: of a dynamic
        price, the value of its property.  None: not even 12 decimals hold the product of a flat price, so that it has to be
        rated with `change` under the counter.  Raises OverflowError when the amount does not fit numeric(30,12), and
        NotAQuantity when a dynamic price has no own price.
        """
