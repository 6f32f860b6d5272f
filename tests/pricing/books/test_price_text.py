"""Prices as people read them."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from pricing.books.models import Price
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.price_text import price_lines
from pricing.books.stored_terms import price_columns
from pricing.meters.models import Meter


@pytest.mark.parametrize(
    ("model", "fields", "lines"),
    [
        ("per_unit", {"unit_price": D("0.00001")}, ["10.00 USD per million calls"]),
        ("per_unit", {"unit_price": D(0)}, ["free"]),
        ("per_unit", {"unit_price": D(2), "free_units": D(1000)}, ["first 1,000 of a month free", "2.00 USD per call"]),
        ("package", {"package_size": D(1000), "package_price": D("2.5")}, ["2.50 USD per started 1,000"]),
        (
            "graduated",
            {"tiers": (TierTerms(up_to=D(1000), unit_price=D(0)), TierTerms(unit_price=D("0.02"), flat_price=D(5)))},
            ["each part at its own tier's price", "up to 1,000: free", "above 1,000: 0.02 USD per call, 5.00 USD once"],
        ),
        (
            "stairstep",
            {"tiers": (TierTerms(up_to=D("0.5"), flat_price=D(1)), TierTerms(flat_price=D(2)))},
            [
                "the one price of the tier the month's total falls in", "up to 0.5: 1.00 USD in all",
                "above 0.5: 2.00 USD in all",
            ],
        ),
        (
            "graduated_percentage",
            {"tiers": (TierTerms(up_to=D(10), rate=D("2.9")), TierTerms(rate=D("1.9")))},
            ["each part at its own tier's share", "up to 10: 2.9 %", "above 10: 1.9 %"],
        ),
        (
            "percentage",
            {
                "percentage": PercentageTerms(
                    rate=D("1.5"), fixed=D("0.1"), minimum=D(0), maximum=D(2), free_events=1000, free_amount=D(500)
                )
            },
            [
                "1.5 % and 0.10 USD an event", "at least 0.00 USD", "at most 2.00 USD", "first 1,000 events of a month free",
                "first 500.00 USD of a month free",
            ],
        ),
        ("dynamic", {"price_property": "price"}, ["what the event says in price"]),
    ],
)  # fmt: skip
def test_a_price_in_words(model: str, fields: dict[str, Any], lines: list[str]) -> None:
    columns = price_columns(PriceTerms(meter="calls", model=model, **fields), currency="USD")
    assert list(price_lines(Price(meter=Meter(code="calls", unit="call"), **columns))) == lines
