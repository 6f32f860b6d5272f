"""A price of every model as a row: what was put forward comes back, and the database refuses what does not belong."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pricing.books.draft import create_price_book, draft_version
from pricing.books.in_force import terms_of
from pricing.books.models import Price
from pricing.books.price_terms import PriceTerms
from pricing.books.rows import terms_of_row
from pricing.books.stored_terms import rated_terms
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT
from tests.pricing.books.test_model_fields import FINE


@pytest.fixture
def prices(db: None) -> dict[str, Price]:
    """A drafted price of every model."""
    define_meter(code="out", event_type="call", aggregation="count", at=OPENED_AT)
    book = create_price_book(name="List", currency="USD", at=OPENED_AT)
    drafted = [
        PriceTerms(meter="out", match={"kind": model}, model=model, unit_cost=D("0.001"), minimum_charge=D("0.05"), **fields)
        for model, fields in FINE.items()
    ]
    version = draft_version(book=book, prices=drafted, at=OPENED_AT)
    return {price.model: price for price in Price.objects.filter(version=version).select_related("meter")}


def test_what_was_put_forward_comes_back(prices: dict[str, Price]) -> None:
    for model, price in prices.items():
        back = terms_of_row(price)
        put_forward = PriceTerms(
            meter="out", match={"kind": model}, model=model, unit_cost=D("0.001"), minimum_charge=D("0.05"), **FINE[model]
        )
        assert rated_terms(back) == rated_terms(put_forward)
        assert terms_of(price) == replace(rated_terms(put_forward), id=price.pk)


def test_equal_tiers_are_equal_json(prices: dict[str, Price]) -> None:
    assert prices["graduated"].tiers == [
        {"up_to": "100", "unit_price": "0.02", "flat_price": "5"},
        {"up_to": None, "unit_price": "0.01", "flat_price": "0"},
    ]
    assert prices["graduated"].tiers == prices["volume"].tiers


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("graduated", {"model": "by the moon"}),
        ("graduated", {"unit_price": D(1)}),
        ("graduated", {"tiers": []}),
        ("per_unit", {"tiers": [{"up_to": None, "unit_price": "1"}]}),
        ("per_unit", {"free_units": D(-1)}),
        ("percentage", {"free_units": D(1)}),
        ("percentage", {"percentage": None}),
        ("per_unit", {"percentage": {"rate": "1"}}),
        ("package", {"package_size": D(0)}),
        ("package", {"package_size": None}),
        ("package", {"package_price": None}),
        ("per_unit", {"package_size": D(1), "package_price": D(1)}),
        ("dynamic", {"price_property": ""}),
        ("per_unit", {"price_property": "price"}),
    ],
)
def test_the_database_refuses_what_does_not_belong_to_the_model(
    prices: dict[str, Price], model: str, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.filter(pk=prices[model].pk).update(**change)


def test_a_price_continues_only_the_first_with_its_own_terms(prices: dict[str, Price]) -> None:
    first = prices["graduated"]
    book = first.version.book
    version = draft_version(book=book, prices=[replace(terms_of_row(first), match={}, unit_cost=D(9))], at=OPENED_AT)
    second = Price.objects.get(version=version)
    Price.objects.filter(pk=second.pk).update(continues=first)
    assert terms_of(Price.objects.get(pk=second.pk)).counter_id == first.pk
    third = Price.objects.get(version=draft_version(book=book, prices=[terms_of_row(first)], at=OPENED_AT))
    for price, continued in ((third, second), (third, prices["volume"]), (third, third)):
        with pytest.raises(IntegrityError, match="does not continue"), transaction.atomic():
            Price.objects.filter(pk=price.pk).update(continues=continued)
