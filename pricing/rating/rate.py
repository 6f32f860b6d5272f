"""Rating: a price, a quantity and what was used before -> a charge. Pure: no database, no clock.

The models are two tables. A cumulative model prices the total of a period, and a charge is price(total after) - price(total
before); a model per event prices each event, and may ask how much was charged before it. A minimum charge makes any model
one per event. What `needs_counter` is rated under the wallet's lock, with what was charged before; the others anywhere, with
the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from pricing.meters.measure import Quantity
from pricing.rating.explanation import PriceTerms, Rated, Rater
from pricing.rating.lines import Reach, rater_on_lines, reach_on_lines, total_on_lines
from pricing.rating.package import total_of_packages
from pricing.rating.per_unit import per_unit
from pricing.rating.percentage import EventPrice, dynamic, percentage
from pricing.rating.rounding import fitting, to_charge
from wallets.money import ZERO

Total = Callable[[Quantity], Decimal]

CUMULATIVE: Final[dict[str, Callable[[PriceTerms], Total]]] = {
    "per_unit": total_on_lines,
    "package": total_of_packages,
    "graduated": total_on_lines,
    "volume": total_on_lines,
    "stairstep": total_on_lines,
    "graduated_percentage": total_on_lines,
}
"""Model -> the exact price of a period's total."""

PER_EVENT: Final[dict[str, Callable[[PriceTerms], EventPrice]]] = {"percentage": percentage, "dynamic": dynamic}
"""Model -> the exact price of one event."""

MODELS: Final = (*CUMULATIVE, *PER_EVENT)


def is_cumulative(price: PriceTerms) -> bool:
    """Do a period's charges add up to the price of its net total? Then voiding gives back price(total) - price(total -
    quantity); otherwise it gives back exactly what was charged."""
    return price.model in CUMULATIVE and not price.minimum_charge


def needs_counter(price: PriceTerms) -> bool:
    """Does what was charged before in the period decide what an event costs?"""
    if price.model == "per_unit":
        return price.free_units > ZERO
    if price.percentage is not None:
        return price.percentage.free_events is not None or price.percentage.free_amount is not None
    return price.model in CUMULATIVE


def rater_of(price: PriceTerms) -> Rater:
    """The function that rates quantities at this price; for many charges at one price."""
    if price.model in PER_EVENT:
        return _rater_per_event(price)
    if price.model == "per_unit" and not needs_counter(price):
        return per_unit(price)
    rater = _rater_of_totals(price) if price.model == "package" else rater_on_lines(price)
    return _with_minimum(price, rater) if price.minimum_charge else rater


def reach_of(price: PriceTerms) -> Reach | None:
    """How far what the price's rater says is slope x quantity; None where it never is."""
    if price.model in PER_EVENT or price.model == "package" or price.minimum_charge:
        return None
    return reach_on_lines(price)


def rate(
    price: PriceTerms,
    quantity: Quantity,
    *,
    prior_quantity: Quantity = 0,
    prior_events: int = 0,
    own_price: Decimal | int | None = None,
) -> Rated:
    """What `quantity` (meter units) costs at `price`, given what was charged before it in the period.

    Raises OverflowError when the amount does not fit numeric(30,12), NotAQuantity when a dynamic price has no own price.
    """
    rated = rater_of(price)(quantity, prior_quantity, prior_events, own_price)
    if rated is None:
        return *change(price, prior_quantity, prior_quantity + quantity), None
    return rated


def change(price: PriceTerms, before: Quantity, after: Quantity) -> tuple[Decimal, Decimal]:
    """Amount and cost by which the charges of a period change when its total goes from `before` to `after`, either way.

    Only of a cumulative price. Raises OverflowError.
    """
    assert is_cumulative(price), f"price {price.id} ({price.model}) is per event"
    total, unit_cost = CUMULATIVE[price.model](price), price.unit_cost
    return (
        fitting(to_charge(total(after)) - to_charge(total(before))),
        fitting(to_charge(unit_cost * after) - to_charge(unit_cost * before)),
    )


def exact_of(price: PriceTerms) -> EventPrice:
    """The function that prices events without rounding: quantity, prior quantity, prior events, own price -> amount.

    It raises as raters do.
    """
    minimum = price.minimum_charge or None
    if price.model in PER_EVENT:
        of_event = PER_EVENT[price.model](price)
    else:
        total = CUMULATIVE[price.model](price)

        def of_event(
            quantity: Quantity,
            prior_quantity: Quantity,
            prior_events: int,  # noqa: ARG001 - every model's signature
            own_price: Decimal | int | None,  # noqa: ARG001
        ) -> Decimal:
            return total(prior_quantity + quantity) - total(prior_quantity)

    def exact(quantity: Quantity, prior_quantity: Quantity, prior_events: int, own_price: Decimal | int | None) -> Decimal:
        amount = of_event(quantity, prior_quantity, prior_events, own_price)
        return fitting(amount if minimum is None else max(amount, minimum))

    return exact


def _rater_of_totals(price: PriceTerms) -> Rater:
    """The rater of a cumulative price by its definition."""
    total, unit_cost = CUMULATIVE[price.model](price), price.unit_cost

    def rate_totals(
        quantity: Quantity,
        prior_quantity: Quantity = 0,
        prior_events: int = 0,  # noqa: ARG001 - every model's signature
        own_price: Decimal | int | None = None,  # noqa: ARG001
    ) -> Rated:
        after = prior_quantity + quantity
        return (
            fitting(to_charge(total(after)) - to_charge(total(prior_quantity))),
            fitting(to_charge(unit_cost * after) - to_charge(unit_cost * prior_quantity)),
            None,
        )

    return rate_totals


def _rater_per_event(price: PriceTerms) -> Rater:
    of_event, unit_cost, minimum = PER_EVENT[price.model](price), price.unit_cost, price.minimum_charge or ZERO

    def rate_event(
        quantity: Quantity,
        prior_quantity: Quantity = 0,
        prior_events: int = 0,
        own_price: Decimal | int | None = None,
    ) -> Rated:
        amount = to_charge(of_event(quantity, prior_quantity, prior_events, own_price))
        return fitting(max(amount, minimum)), fitting(to_charge(unit_cost * quantity)), None

    return rate_event


def _with_minimum(price: PriceTerms, rater: Rater) -> Rater:
    """A cumulative price with a minimum charge is one per event, and so is its cost."""
    unit_cost, minimum = price.unit_cost, price.minimum_charge or ZERO

    def at_least_the_minimum(
        quantity: Quantity,
        prior_quantity: Quantity = 0,
        prior_events: int = 0,
        own_price: Decimal | int | None = None,
    ) -> Rated:
        rated = rater(quantity, prior_quantity, prior_events, own_price)
        assert rated is not None, "only a flat price answers None"
        return max(rated[0], minimum), fitting(to_charge(unit_cost * quantity)), None

    return at_least_the_minimum
