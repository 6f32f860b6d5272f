"""One meter at one price of any model, for tests that send usage of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from metering.ingest.decode import UsageInput, usage_input
from pricing.books.draft import create_price_book, draft_version
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from pricing.rating import explanation
from tests.factories.balances import AT

BEFORE = AT - timedelta(days=400)


def stated(meter: str, terms: explanation.PriceTerms) -> PriceTerms:
    """A rated price as one put forward."""
    tiers = [
        TierTerms(up_to=tier.up_to, flat_price=tier.flat_price)
        if terms.model == "stairstep"
        else TierTerms(up_to=tier.up_to, rate=tier.rate, flat_price=tier.flat_price or None)
        if terms.model == "graduated_percentage"
        else TierTerms(up_to=tier.up_to, unit_price=tier.unit_price, flat_price=tier.flat_price or None)
        for tier in terms.tiers
    ]
    return PriceTerms(
        meter=meter,
        model=terms.model,
        unit_price=terms.unit_price if terms.model == "per_unit" else None,
        unit_cost=terms.unit_cost,
        minimum_charge=terms.minimum_charge,
        package_size=terms.package_size,
        package_price=terms.package_price,
        free_units=terms.free_units or None,
        tiers=tiers,
        percentage=None if terms.percentage is None else PercentageTerms(**terms.percentage._asdict()),
        price_property=terms.price_property or None,
    )


def sell(terms: explanation.PriceTerms, *, aggregation: str = "sum", code: str = "work") -> None:
    """The default book charges the property `n` of `work` events at this price."""
    define_meter(code=code, event_type="work", aggregation=aggregation, property="n", at=BEFORE)
    book = create_price_book(name=f"Book of {code}", currency="USD", at=BEFORE, is_default=True)
    version = draft_version(book=book, prices=[stated(code, terms)], at=BEFORE)
    publish_version(version=version, effective_at=BEFORE, at=BEFORE)


def work(event_id: str, n: Any, *, account: str = "acme", time: datetime = AT, **properties: Any) -> UsageInput:
    """A `work` event that says `n`."""
    value = str(n) if isinstance(n, Decimal) else n
    return usage_input(event_id=event_id, event_type="work", account=account, time=time, properties={"n": value} | properties)
