"""Two versions compared, price by price."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hypothesis import given, settings

from pricing.books.diff import diff_prices
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.stored_terms import stored_form
from tests.factories import terms as any_terms

NIGHT = {"time_zone": "UTC", "windows": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}
DAY = {"time_zone": "UTC", "windows": [{"days": ["mon"], "from": "06:00", "to": "22:00"}]}


def price(match: dict[str, Any] | None = None, /, **values: Any) -> PriceTerms:
    terms = PriceTerms(**{"meter": "calls", "match": match or {}, "unit_price": D("0.01")} | values)
    return stored_form(terms, currency="USD")


def test_prices_are_added_removed_and_changed() -> None:
    old = [price(), price({"model": "a"}), price({"model": "b"}), price({"model": "c"}, unit_cost=D("0.001"))]
    new = [
        price(),
        price({"model": "b"}, unit_price=D("0.02"), unit_cost=D("0.005")),
        price({"model": "c"}, unit_cost=D("0.0010")),
        price({"model": "d"}),
    ]
    diff = diff_prices(old, new)
    assert [change.price.match for change in diff.added] == [{"model": "d"}]
    assert [change.price.match for change in diff.removed] == [{"model": "a"}]
    (changed,) = diff.changed
    assert (changed.old, changed.new, changed.fields) == (old[2], new[1], ("unit_price", "unit_cost"))
    assert diff.unchanged == 2


def test_tiers_and_models_are_compared() -> None:
    tiers = (TierTerms(up_to=D(10), unit_price=D(1)), TierTerms(unit_price=D("0.5")))
    old = price(model="graduated", unit_price=None, tiers=tiers)
    cheaper = price(model="graduated", unit_price=None, tiers=(tiers[0], TierTerms(unit_price=D("0.4"))))
    assert diff_prices([old], [cheaper]).changed[0].fields == ("tiers",)
    assert diff_prices([old], [price(model="volume", unit_price=None, tiers=tiers)]).changed[0].fields == ("model",)


def test_currency_and_schedule_tell_prices_apart() -> None:
    diff = diff_prices([price(), price(currency="EUR")], [price(), price(schedule=NIGHT, unit_price=D("0.005"))])
    assert [(change.price.currency, bool(change.price.schedule)) for change in (*diff.removed, *diff.added)] == [
        ("EUR", False), ("USD", True),
    ]  # fmt: skip
    assert diff.changed == ()


def test_a_schedule_that_moved_is_a_change_and_not_two_prices() -> None:
    diff = diff_prices([price(schedule=NIGHT)], [price(schedule=DAY, unit_price=D("0.02"))])
    assert (diff.added, diff.removed) == ((), ())
    assert diff.changed[0].fields == ("schedule", "unit_price")


@settings(max_examples=60, deadline=None)
@given(any_terms.versions(), any_terms.versions())
def test_both_ways_say_the_same(one: list[PriceTerms], other: list[PriceTerms]) -> None:
    one, other = ([stored_form(terms, currency="USD") for terms in prices] for prices in (one, other))
    there, back = diff_prices(one, other), diff_prices(other, one)
    assert [change.new for change in there.added] == [change.old for change in back.removed]
    assert [(change.old, change.new) for change in there.changed] == [(change.new, change.old) for change in back.changed]
    assert there.unchanged + len(there.changed) + len(there.removed) == len(one)
    assert there.unchanged + len(there.changed) + len(there.added) == len(other)
    assert diff_prices(one, one).is_empty
