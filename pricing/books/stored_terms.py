"""A price in its forms: as it is put forward (validated), as its row stores it, as rating needs it. Pure.

Stored tiers and percentages are JSON with decimal strings, written one way only (no exponent, no needless zero), so that
equal terms are equal JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.schedule import stored_schedule
from pricing.books.validate import match_texts
from pricing.rating import explanation
from wallets.money import EXACT, ZERO

UNSAVED: Final = 0


def price_columns(terms: PriceTerms, *, currency: str) -> dict[str, Any]:
    """The columns of a price with acceptable terms in a book in `currency`, but for its version and meter."""
    return {
        "currency": terms.currency or currency,
        "match": match_texts(terms.match),
        "schedule": stored_schedule(terms.schedule),
        "model": terms.model,
        "unit_price": terms.unit_price or ZERO,
        "unit_cost": terms.unit_cost or ZERO,
        "minimum_charge": terms.minimum_charge,
        "free_units": terms.free_units or ZERO,
        "package_size": terms.package_size or None,
        "package_price": terms.package_price if terms.model == "package" else None,
        "tiers": [_tier_json(terms.model, tier) for tier in terms.tiers],
        "percentage": _percentage_json(terms.percentage) if terms.model == "percentage" and terms.percentage else None,
        "price_property": terms.price_property or "",
    }


def stored_form(terms: PriceTerms, *, currency: str) -> PriceTerms:
    """Acceptable terms with their match, schedule and currency as they are stored, so that they compare with stored ones."""
    return replace(
        terms,
        currency=terms.currency or currency,
        match=match_texts(terms.match),
        schedule=stored_schedule(terms.schedule),
    )


def tier_terms(stored: Sequence[Mapping[str, str | None]]) -> tuple[TierTerms, ...]:
    """Stored tiers as they were put forward."""
    return tuple(TierTerms(**{name: _decimal(text) for name, text in tier.items()}) for tier in stored)


def percentage_terms(stored: Mapping[str, Any] | None) -> PercentageTerms | None:
    """A stored percentage as it was put forward."""
    if stored is None:
        return None
    amounts = {name: _decimal(text) for name, text in stored.items() if name != "free_events"}
    return PercentageTerms(free_events=stored["free_events"], **amounts)


def rated_tiers(tiers: Sequence[TierTerms]) -> tuple[explanation.Tier, ...]:
    """Tiers as rating needs them."""
    return tuple(
        explanation.Tier(tier.up_to, tier.unit_price or ZERO, tier.flat_price or ZERO, tier.rate or ZERO) for tier in tiers
    )


def rated_percentage(terms: PercentageTerms | None) -> explanation.Percentage | None:
    """A percentage as rating needs it."""
    if terms is None:
        return None
    return explanation.Percentage(
        terms.rate or ZERO, terms.fixed or ZERO, terms.free_events, terms.free_amount, terms.minimum, terms.maximum
    )


def rated_terms(terms: PriceTerms) -> explanation.PriceTerms:
    """Acceptable terms as rating needs them, of a price that is stored nowhere."""
    return explanation.PriceTerms(
        UNSAVED,
        terms.model,
        terms.unit_price or ZERO,
        terms.unit_cost or ZERO,
        terms.minimum_charge,
        package_size=terms.package_size or None,
        package_price=terms.package_price,
        free_units=terms.free_units or ZERO,
        tiers=rated_tiers(terms.tiers),
        percentage=rated_percentage(terms.percentage) if terms.model == "percentage" else None,
        price_property=terms.price_property or "",
    )


def _tier_json(model: str, tier: TierTerms) -> dict[str, str | None]:
    priced = {"rate": tier.rate} if model == "graduated_percentage" else {"unit_price": tier.unit_price}
    if model == "stairstep":
        priced = {}
    amounts = {**priced, "flat_price": tier.flat_price}
    up_to = None if tier.up_to is None else _text(tier.up_to)
    return {"up_to": up_to, **{name: _text(amount or ZERO) for name, amount in amounts.items()}}


def _percentage_json(terms: PercentageTerms) -> dict[str, Any]:
    limits = {"free_amount": terms.free_amount, "minimum": terms.minimum, "maximum": terms.maximum}
    return {
        "rate": _text(terms.rate or ZERO),
        "fixed": _text(terms.fixed or ZERO),
        "free_events": terms.free_events,
        **{name: None if amount is None else _text(amount) for name, amount in limits.items()},
    }


def _text(amount: Decimal) -> str:
    return f"{amount.normalize(context=EXACT):f}"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
