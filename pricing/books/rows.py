"""A price's row as the terms it holds."""

from __future__ import annotations

from pricing.books.models import Price
from pricing.books.price_terms import PriceTerms
from pricing.books.stored_terms import percentage_terms, tier_terms


def terms_of_row(price: Price) -> PriceTerms:
    """A stored price as it was put forward."""
    return PriceTerms(
        meter=price.meter.code,
        currency=price.currency,
        match=price.match,
        schedule=price.schedule,
        model=price.model,
        unit_price=price.unit_price if price.model == "per_unit" else None,
        unit_cost=price.unit_cost,
        minimum_charge=price.minimum_charge,
        free_units=price.free_units,
        package_size=price.package_size,
        package_price=price.package_price,
        tiers=tier_terms(price.tiers),
        percentage=percentage_terms(price.percentage),
        price_property=price.price_property,
    )
