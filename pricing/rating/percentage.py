"""percentage: a share of the event's own amount; dynamic: what the event itself says it costs. Both per event. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pricing.meters.measure import NotAQuantity, Quantity
from pricing.rating.explanation import PriceTerms
from wallets.money import ZERO

EventPrice = Callable[[Quantity, Quantity, int, "Decimal | int | None"], Decimal]
"""Quantity, prior quantity, prior events, own price -> the exact price of the event."""


def percentage(price: PriceTerms) -> EventPrice:
    """The exact price of an event: a share of its quantity and a fixed part, at least the minimum, at most the maximum."""
    terms = price.percentage
    assert terms is not None, "price_percentage_goes_with_its_model"
    share = terms.rate.scaleb(-2)
    fixed, minimum, maximum = terms.fixed, terms.minimum, terms.maximum
    free_events, free_amount = terms.free_events, terms.free_amount
    some_are_free = free_events is not None or free_amount is not None

    def of_event(
        quantity: Quantity,
        prior_quantity: Quantity,
        prior_events: int,
        own_price: Decimal | int | None,  # noqa: ARG001 - every model's signature
    ) -> Decimal:
        charged = quantity
        if some_are_free and (free_events is None or prior_events < free_events):
            if free_amount is None:
                return ZERO
            beyond = prior_quantity + quantity - free_amount
            if beyond <= 0:
                return ZERO
            charged = min(quantity, beyond)
        amount = share * charged + fixed
        if minimum is not None:
            amount = max(amount, minimum)
        return amount if maximum is None else min(amount, maximum)

    return of_event


def dynamic(price: PriceTerms) -> EventPrice:
    """The exact price of an event: the one it carries in the price's property."""
    name = price.price_property

    def of_event(
        quantity: Quantity,  # noqa: ARG001 - every model's signature
        prior_quantity: Quantity,  # noqa: ARG001
        prior_events: int,  # noqa: ARG001
        own_price: Decimal | int | None,
    ) -> Decimal:
        if own_price is None:
            raise NotAQuantity(f"properties.{name} must be the price of the event")
        return Decimal(own_price)

    return of_event
