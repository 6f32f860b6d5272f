"""The prices of a version as people read them: tiny ones by the million, cost and margin beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pricing.books.models import Price, PriceVersion
from pricing.books.price_terms import PercentageTerms, TierTerms
from pricing.books.stored_terms import percentage_terms, tier_terms
from wallets.amount_text import exact_text, quantity_text, unit_price_text
from wallets.money import EXACT


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price. `margin`: percent of the price that is not cost; None when it is free or no unit has a price of its own."""

    meter_pk: int
    meter: str
    unit: str
    match: tuple[tuple[str, str], ...]
    match_text: str
    model: str
    price_lines: tuple[str, ...]
    unit_cost: Decimal
    unit_cost_text: str
    margin: Decimal | None
    minimum_charge: Decimal | None
    currency: str

    @property
    def price_text(self) -> str:
        """The price in one line."""
        return "; ".join(self.price_lines)


def price_rows(version: PriceVersion | None) -> list[PriceRow]:
    """The prices of a version (its book selected along or not), by meter, general ones first. None has none."""
    if version is None:
        return []
    prices = Price.objects.filter(version=version).select_related("meter").order_by("meter__code", "id")
    currency = version.book.currency
    rows = [_row(price, currency) for price in prices]
    return sorted(rows, key=lambda row: (row.meter, len(row.match), row.match_text))


def _row(price: Price, currency: str) -> PriceRow:
    match = tuple(sorted((name, str(value)) for name, value in price.match.items()))
    margin = None
    if price.unit_price:
        margin = EXACT.divide((price.unit_price - price.unit_cost) * 100, price.unit_price)
    return PriceRow(
        meter_pk=price.meter_id,
        meter=price.meter.code,
        unit=price.meter.unit,
        match=match,
        match_text=", ".join(f"{name} = {value}" for name, value in match),
        model=price.model,
        price_lines=tuple(price_lines(price, currency=currency)),
        unit_cost=price.unit_cost,
        unit_cost_text=unit_price_text(price.unit_cost, currency, price.meter.unit),
        margin=margin,
        minimum_charge=price.minimum_charge,
        currency=currency,
    )


def price_lines(price: Price, *, currency: str) -> Iterator[str]:
    """What a price says, a line a tier: `1,000 free`, `up to 100: 0.02 USD each, 5.00 USD once`."""
    unit = price.meter.unit
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
        yield f"{reach}: {', '.join(_tier_parts(tier, currency, unit)) or 'free'}"
        above = tier.up_to or above


TIERED_TEXT: Final[dict[str, str]] = {
    "graduated": "each part at its own tier's price",
    "graduated_percentage": "each part at its own tier's share",
    "volume": "all at the price of the tier the month's total falls in",
    "stairstep": "the price of the tier the month's total falls in",
}


def _tier_parts(tier: TierTerms, currency: str, unit: str) -> Iterator[str]:
    if tier.unit_price:
        yield unit_price_text(tier.unit_price, currency, unit)
    if tier.rate:
        yield f"{quantity_text(tier.rate)} %"
    if tier.flat_price:
        yield f"{exact_text(tier.flat_price, currency)} once"


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
