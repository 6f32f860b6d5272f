"""The prices of a version as people read them, by meter: tiny ones by the million, cost and margin beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from pricing.admin.price_text import EXAMPLE_QUANTITY, example_text, said_lines
from pricing.books.models import Price, PriceVersion
from pricing.books.price_text import origin_text, schedule_text
from pricing.books.rows import terms_of_row
from wallets.amount_text import unit_price_text
from wallets.money import EXACT

MOST_SHOWN: Final = 500  # prices on one page; a file has them all


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price. `margin`: percent of the price that is not cost; None when it has none to speak of."""

    match: tuple[tuple[str, str], ...]
    schedule: str
    currency: str
    lines: tuple[str, ...]
    origin: str
    example: str
    unit_cost: Decimal
    unit_cost_text: str
    margin: Decimal | None


@dataclass(frozen=True, slots=True)
class MeterPrices:
    """The prices of one meter, general ones first."""

    meter_pk: int
    meter: str
    name: str
    rows: tuple[PriceRow, ...]


def price_groups(version: PriceVersion | None, *, examples: bool = True) -> list[MeterPrices]:
    """The prices of a version by meter, the first MOST_SHOWN of them. None has none."""
    if version is None:
        return []
    prices = Price.objects.filter(version=version).select_related("meter", "version", "derived_from__meter")
    return groups_of(sorted(prices, key=_order)[:MOST_SHOWN], examples=examples)


def groups_of(prices: Iterable[Price], *, examples: bool) -> list[MeterPrices]:
    """Prices in the order of their meters, grouped."""
    groups = []
    for _, of_meter in groupby(prices, key=lambda price: price.meter_id):
        rows = list(of_meter)
        meter = rows[0].meter
        lines = tuple(_row(price, examples=examples) for price in rows)
        groups.append(MeterPrices(meter.pk, meter.code, meter.name, lines))
    return groups


def _order(price: Price) -> tuple[str, int, list[tuple[str, str]], str, int]:
    return price.meter.code, len(price.match), sorted(price.match.items()), price.currency, price.pk


def _row(price: Price, *, examples: bool) -> PriceRow:
    terms, unit = terms_of_row(price), price.meter.unit
    margin = None
    if price.unit_price and price.unit_cost:
        margin = EXACT.divide((price.unit_price - price.unit_cost) * 100, price.unit_price)
    return PriceRow(
        match=tuple(sorted(price.match.items())),
        schedule=schedule_text(terms),
        currency=price.currency,
        lines=said_lines(terms, unit),
        origin=origin_text(price),
        example=example_text(terms, EXAMPLE_QUANTITY, unit) if examples else "",
        unit_cost=price.unit_cost,
        unit_cost_text=unit_price_text(price.unit_cost, price.currency, unit),
        margin=margin,
    )
