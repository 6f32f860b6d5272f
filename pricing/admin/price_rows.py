"""The prices of a version as people read them: tiny ones by the million, cost and margin beside."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pricing.books.models import Price, PriceVersion
from pricing.books.price_text import price_lines
from wallets.amount_text import unit_price_text
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
    rows = [_row(price) for price in prices]
    return sorted(rows, key=lambda row: (row.meter, len(row.match), row.match_text))


def _row(price: Price) -> PriceRow:
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
        price_lines=tuple(price_lines(price)),
        unit_cost=price.unit_cost,
        unit_cost_text=unit_price_text(price.unit_cost, price.currency, price.meter.unit),
        margin=margin,
        minimum_charge=price.minimum_charge,
        currency=price.currency,
    )
