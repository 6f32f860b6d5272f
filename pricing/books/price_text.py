"""A price as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from pricing.books.models import Price
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.rows import terms_of_row
from pricing.books.schedule import windows_text
from wallets.amount_text import exact_text, quantity_text, unit_price_text


def price_lines(price: Price) -> Iterator[str]:
    """What a price (its meter selected along) says, a line a tier: `up to 100: 0.02 USD each, 5.00 USD once`."""
    yield from terms_lines(terms_of_row(price), price.meter.unit)


def terms_lines(terms: PriceTerms, unit: str = "") -> Iterator[str]:
    """`price_lines` of a price that names its currency, stored or not."""
    currency = terms.currency or ""
    if terms.free_units:
        yield f"first {quantity_text(terms.free_units)} of a month free"
    if terms.model == "per_unit":
        yield unit_price_text(terms.unit_price or Decimal(0), currency, unit)
    elif terms.model == "dynamic":
        yield f"what the event says in {terms.price_property}"
    elif terms.package_size is not None and terms.package_price is not None:
        yield f"{exact_text(terms.package_price, currency)} per started {quantity_text(terms.package_size)}"
    if terms.percentage is not None:
        yield from _percentage_lines(terms.percentage, currency)
    if terms.tiers:
        yield TIERED_TEXT[terms.model]
    above = Decimal(0)
    for tier in terms.tiers:
        reach = f"above {quantity_text(above)}" if tier.up_to is None else f"up to {quantity_text(tier.up_to)}"
        yield f"{reach}: {', '.join(_tier_parts(terms.model, tier, currency, unit)) or 'free'}"
        above = tier.up_to or above


def origin_text(price: Price) -> str:
    """Where a negotiated price (its version, meter and list price selected along) comes from: `20 % off 10.00 USD per million
    tokens`. Empty for a list price."""
    listed = price.derived_from
    said = "" if listed is None else "; ".join(terms_lines(terms_of_row(listed), price.meter.unit))
    if price.is_override:
        return f"negotiated, instead of {said}" if said else "negotiated"
    return f"{quantity_text(price.version.percent_off)} % off {said}" if said and price.version.percent_off else ""


def schedule_text(terms: PriceTerms) -> str:
    """When a price holds: `mon-fri 08:00-20:00, Europe/Berlin`. Empty for always."""
    return f"{windows_text(terms.schedule)}, {terms.schedule['time_zone']}" if terms.schedule else ""


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
        yield f"{exact_text(tier.flat_price, currency)} {'in all' if model == 'stairstep' else 'once'}"


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
