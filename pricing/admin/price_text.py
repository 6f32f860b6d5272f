"""A price in words and figures, as finance reads it: what it costs, when it holds, what an amount of usage comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pricing.books.preview import Usage, preview_charges
from pricing.books.price_terms import PriceTerms
from pricing.books.price_text import terms_lines
from pricing.rating.explanation import TierUsed
from wallets.amount_text import exact_text, line_text, quantity_text
from wallets.errors import InvalidInput

EXAMPLE_QUANTITY: Final = Decimal(1_234_567)
MODEL_LABELS: Final[dict[str, str]] = {
    "per_unit": "Per unit",
    "package": "By the package",
    "graduated": "Graduated: each part at its tier",
    "volume": "Volume: all at the tier of the total",
    "stairstep": "Stairstep: a flat price by tier",
    "percentage": "Percentage of an amount",
    "graduated_percentage": "Percentage in tiers",
    "dynamic": "The event carries its price",
}
_MOST_PARTS: Final = 4


def said_lines(terms: PriceTerms, unit: str = "") -> tuple[str, ...]:
    """What usage costs, a line for each part of it, the least an event costs among them."""
    least = [f"at least {exact_text(terms.minimum_charge, terms.currency or '')} an event"] if terms.minimum_charge else []
    return (*terms_lines(terms, unit), *least)


def example_text(terms: PriceTerms, quantity: Decimal, unit: str = "") -> str:
    """`1,234,567 tokens cost 12.35 USD`, the first usage of a month; with what each tier makes of it. Empty when it cannot be
    said: the terms are not acceptable, or each event carries its own price."""
    if terms.model == "dynamic":
        return "Every event says what it costs."
    try:
        (charge,) = preview_charges(price=terms, usage=[Usage(quantity, {})])
    except InvalidInput:
        return ""
    currency = terms.currency or ""
    said = f"{_count(quantity, unit)} cost {line_text(charge.amount, currency)}"
    if len(charge.tiers) > 1:
        parts = [_part(part, terms.model) for part in charge.tiers[:_MOST_PARTS]]
        more = " + …" if len(charge.tiers) > _MOST_PARTS else ""
        said += f" = {' + '.join(parts)}{more}"
    return said


def _part(part: TierUsed, model: str) -> str:
    if model == "stairstep":
        return f"{part.amount:,f}"
    percent = " %" if model == "graduated_percentage" else ""
    rate = f"{quantity_text(part.quantity)} \N{MULTIPLICATION SIGN} {quantity_text(part.unit_price)}{percent}"
    factor = part.unit_price / 100 if percent else part.unit_price
    flat = part.amount - part.quantity * factor
    return f"{rate} + {quantity_text(flat)}" if flat > 0 else rate


def _count(quantity: Decimal, unit: str) -> str:
    return f"{quantity_text(quantity)} {unit or 'unit'}{'' if quantity == 1 else 's'}"
