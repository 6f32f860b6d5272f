"""Meters and prices in force, made through the verbs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import PriceVersion
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.factories.balances import AT


def llm_prices(*, input_tokens: str, output_tokens: str, currency: str = "USD", at: datetime = AT) -> PriceVersion:
    """The default book: `llm.request` is charged per input and per output token of model gpt-5, at these unit prices."""
    for code in ("input_tokens", "output_tokens"):
        define_meter(
            code=f"llm.{code}", event_type="llm.request", aggregation="sum", property=code, dimensions=["model"], at=at
        )
    book = create_price_book(name=f"List {currency}", currency=currency, at=at, is_default=True)
    prices = [
        PriceTerms(meter="llm.input_tokens", match={"model": "gpt-5"}, unit_price=Decimal(input_tokens)),
        PriceTerms(meter="llm.output_tokens", match={"model": "gpt-5"}, unit_price=Decimal(output_tokens)),
    ]
    return publish_version(version=draft_version(book=book, prices=prices, at=at), effective_at=at, at=at)
