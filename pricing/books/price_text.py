"""A price as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from pricing.books.models import Price
from pricing.books.price_terms import PercentageTerms, TierTerms
from pricing.books.stored_terms import percentage_terms, tier_terms
from wallets.amount_text import exact_text, quantity_text, unit_price_text


def price_lines(price: Price) -> Iterator[str]:
    """What a price (its meter selected along) says, a line a tier: `up to 100: 0.02 USD each, 5.00 USD once`."""
    unit, currency = price.meter.unit, price.currency
    if price.free_units:
        yield f"first {quantity_text(price.free_units)} of a month free"
    if price.model == Price.Model.PER_UNIT:
        yield unit_price_text(price.unit_price, currency, unit)
    elif price.model == Price.Model.DYNAMIC:
        yield f"what the event says in {price.price_property}"
    elif price.package_size is not None and price.package_price is not None:
        yield f"{exact_text(price.package_price, currency)} per started {quantity_text(price.package_size)}"
    percentage = percentage_terms(price.percentage)
    if percentage is not None:
        yield from _percentage_lines(percentage, currency)
    tiers = tier_terms(price.tiers)
    if tiers:
        yield TIERED_TEXT[price.model]
    above = Decimal(0)
    for tier in tiers:
        reach = f"above {quantity_text(above)}" if tier.up_to is None else f"up to {quantity_text(tier.up_to)}"
        yield f"{reach}: {', '.join(_tier_parts(price.model, tier, currency, unit)) or 'free'}"
        above = tier.up_to or above


TIERED_TEXT: Final[dict[str, str]] = {
    "graduated": "each part at its own tier's price",
    "graduated_percentage": "each part at its own tier's share",
    "volume": "all at the price of the tier the month's total falls in",
    "stairstep": "the one price of the tier the month's total falls in",
}


def _tier_parts(model: str, tier: TierTerms, currency: str, unit: str) -> Iterator[str]:
    if tier.unit_price:
        yield unit_price_text(tier.unit_price, currency, unit)
    if tier.rate:
        yield f"{quantity_text(tier.rate)} %"
    if tier.flat_price:
        yield f"{exact_text(tier.flat_price, currency)} {'in all' if model == Price.Model.STAIRSTEP else 'once'}"


def _percentage_lines(terms: PercentageTerms, currency: str) -> Iterator[str]:
    fixed = f" and {exact_text(terms.fixed, currency)}" if terms.fixed else ""
    yield f"{quantity_text(terms.rate or Decimal(0))} %{fixed} an event"
    if terms.minimum is not None:
        yield f"at least {exact_text(terms.minimum, currency)}"
    if terms.maximum is not None:
        yield f"at most {exact_text(terms.maximum, currency)}"
    if terms.free_events is not None:
        yield f"first {terms.free_events:,} events of a month free"
    if terms.free_amount is not None:
        yield f"first {exact_text(terms.free_amount, currency)} of a month free"
