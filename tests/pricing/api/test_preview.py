"""What usage would cost, over HTTP: exact, nothing stored, bad input named."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.books.preview import Usage, preview_charges
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.rating import explanation
from tests.cast import Api
from tests.pricing.rating.naive import event_price, total_price
from tests.pricing.rating.terms import AMOUNTS, CUMULATIVE, PER_EVENT, QUANTITIES, any_terms

THREE = [
    {"up_to": "100", "unit_price": "0.02", "flat_price": "5"},
    {"up_to": "1000", "unit_price": "0.01", "flat_price": "0"},
    {"up_to": None, "unit_price": "0.005", "flat_price": "1"},
]
CARD = {"rate": "1.5", "fixed": "0.10", "free_events": None, "free_amount": None, "minimum": None, "maximum": None}


def preview(vendor: Api, price: dict[str, Any], *usage: Any, prior: Any = "0") -> Any:
    events = [one if isinstance(one, dict) else {"quantity": one} for one in usage]
    return vendor.post("/pricing/preview", {"price": price, "usage": events, "prior_quantity": prior})


def amounts(answer: Any) -> tuple[list[D], D]:
    assert answer.status_code == 200, answer.content
    return [D(charge["amount"]) for charge in answer.json()["charges"]], D(answer.json()["amount"])


@pytest.mark.parametrize(
    ("price", "usage", "prior", "charged"),
    [
        # 3 x 0.333333333333 x 0.000000000001 is not rounded to 12 decimals
        ({"unit_price": "0.000000000001"}, ["0.333333333333"], "0", "0.000000000000333333333333"),
        # The price is per_unit when no model is named: 812 x 0.00001
        ({"unit_price": 0.00001}, [812], 0, "0.00812"),
        # 2 of 12 are beyond the 10 free, 8 of them were used before: 2 x 0.25 - 0
        ({"model": "per_unit", "unit_price": "0.25", "free_units": "10"}, ["4"], "8", "0.50"),
        # 2,500 start a third package; the first two were started before
        ({"model": "package", "package_size": "1000", "package_price": "2.50"}, ["500", "1", "999"], "1999", "2.50 0 2.50"),
        # 1 x 0.02; then 900 x 0.01; then 1 x 0.005 + 1
        ({"model": "graduated", "tiers": THREE}, ["1", "900", "1"], "99", "0.02 9 1.005"),
        # 100 x 0.02 + 5; 101 x 0.01 = 1.01, less 7
        ({"model": "volume", "tiers": THREE}, ["100", "1"], "0", "7 -5.99"),
        # 100.5 are above 100: 1.005, less 99 x 0.02 + 5 = 6.98
        ({"model": "volume", "tiers": THREE}, ["1.5"], "99", "-5.975"),
        (
            {"model": "stairstep", "tiers": [{"up_to": "10", "flat_price": "20"}, {"up_to": None, "flat_price": "60"}]},
            ["0", "1", "9", "0.1"], "0", "0 20 0 40",
        ),
        # 2.9 % of 12.34; of 1 beyond 1,000: 1.9 %
        (
            {"model": "graduated_percentage", "tiers": [{"up_to": "1000", "rate": "2.9"}, {"up_to": None, "rate": "1.9"}]},
            ["12.34", "987.66", "1"], "0", "0.35786 28.64214 0.019",
        ),
        # 1.5 % of 200 + 0.10; of nothing: 0.10; with two events free; with 500 free of which 450 were used before
        ({"model": "percentage", "percentage": CARD}, ["200", "0"], "0", "3.10 0.10"),
        ({"model": "percentage", "percentage": CARD | {"free_events": 2}}, ["200", "200", "200"], "0", "0 0 3.10"),
        ({"model": "percentage", "percentage": CARD | {"free_events": "1"}}, ["200", "200"], "0", "0 3.10"),
        ({"model": "percentage", "percentage": CARD | {"free_amount": "500"}}, ["50", "10", "10"], "450", "0 0.25 0.25"),
        # 0.25, at least 0.30; 3.10, at most 3; in between as it is
        (
            {"model": "percentage", "percentage": CARD | {"minimum": "0.30", "maximum": "3"}},
            ["10", "200", "100"], "0", "0.30 3 1.60",
        ),
        (
            {"model": "dynamic", "price_property": "price"},
            [{"quantity": "3", "properties": {"price": "0.5"}}, {"quantity": "1", "properties": {"price": 2, "x": [1]}}],
            "0", "0.5 2",
        ),
        # Each event at least 0.05
        ({"model": "graduated", "tiers": THREE, "minimum_charge": "0.05"}, ["100", "1", "0"], "0", "7 0.05 0.05"),
    ],
)  # fmt: skip
def test_worked_by_hand(vendor: Api, price: dict[str, Any], usage: list[Any], prior: Any, charged: str) -> None:
    expected = [D(amount) for amount in charged.split()]
    assert amounts(preview(vendor, price, *usage, prior=prior)) == (expected, sum(expected))


def test_a_preview_says_which_tiers_it_used(vendor: Api) -> None:
    price = {"meter": "calls", "currency": "USD", "match": {"model": "a"}, "model": "graduated", "tiers": THREE}
    assert preview(vendor, price, "100.5", prior="50").json() == {
        "charges": [
            {
                "quantity": "100.50",
                "amount": "1.505",
                "tiers": [
                    # 50 x 0.02, the 5 were due before; 50.5 x 0.01
                    {"up_to": "100.00", "quantity": "50.00", "unit_price": "0.02", "amount": "1.00"},
                    {"up_to": "1000.00", "quantity": "50.50", "unit_price": "0.01", "amount": "0.505"},
                ],
            }
        ],
        "amount": "1.505",
    }
    (charge,) = preview(vendor, {"model": "volume", "tiers": THREE}, "1", prior="100").json()["charges"]
    assert charge["tiers"] == [
        {"up_to": "1000.00", "quantity": "101.00", "unit_price": "0.01", "amount": "1.01"},
        {"up_to": "100.00", "quantity": "-100.00", "unit_price": "0.02", "amount": "-7.00"},
    ]
    assert preview(vendor, {"unit_price": "1"}, "1").json()["charges"] == [{"quantity": "1.00", "amount": "1.00", "tiers": []}]
    assert preview(vendor, {"unit_price": "1"}).json() == {"charges": [], "amount": "0.00"}


GRADUATED = {"model": "graduated", "tiers": THREE}


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("price", {"price": None}),
        ("price", {"price": "graduated"}),
        ("price.model", {"price": {"model": "by the moon", "unit_price": "1"}}),
        ("price.unit_price", {"price": {}}),
        ("price.unit_price", {"price": {"unit_price": "-1"}}),
        ("price.unit_price", {"price": GRADUATED | {"unit_price": "1"}}),
        ("price.currency", {"price": GRADUATED | {"currency": "dollars"}}),
        ("price.colour", {"price": GRADUATED | {"colour": "red"}}),
        ("price.tiers", {"price": {"model": "graduated"}}),
        ("price.tiers.1.up_to", {"price": {"model": "graduated", "tiers": [THREE[0], THREE[0], THREE[2]]}}),
        ("price.tiers.1.up_to", {"price": {"model": "graduated", "tiers": THREE[:2]}}),
        ("price.tiers.0.flat_price", {"price": {"model": "graduated", "tiers": [{"up_to": None, "flat_price": "x"}]}}),
        ("price.match.model", {"price": GRADUATED | {"match": {"model": [1]}}}),
        ("price.percentage.rate", {"price": {"model": "percentage", "percentage": {"rate": "0.0000000000001"}}}),
        ("usage", {"usage": None}),
        ("usage", {"usage": {"quantity": "1"}}),
        ("usage.1.quantity", {"usage": [{"quantity": "1"}, {}]}),
        ("usage.1.quantity", {"usage": [{"quantity": "1"}, {"quantity": "-1"}]}),
        ("usage.1.quantity", {"usage": [{"quantity": "1"}, {"quantity": "0.0000000000001"}]}),
        ("usage.1.quantity", {"usage": [{"quantity": "1"}, {"quantity": "999999999999999999"}]}),
        ("usage.0.quantity", {"usage": [{"quantity": True}]}),
        ("usage.0.properties", {"usage": [{"quantity": "1", "properties": [1]}]}),
        ("prior_quantity", {"prior_quantity": "-1"}),
        ("prior_quantity", {"prior_quantity": "many"}),
        ("prior", {"prior": "1"}),
    ],
)
def test_bad_input_is_refused_by_name(vendor: Api, field: str, change: dict[str, Any]) -> None:
    body = {"price": GRADUATED, "usage": [{"quantity": "1"}], "prior_quantity": "0"} | change
    answer = vendor.post("/pricing/preview", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


@pytest.mark.parametrize("properties", [{}, {"price": None}, {"price": "-1"}, {"price": "many"}, {"price": [1]}, {"other": 1}])
def test_an_event_without_its_own_price_is_refused_by_name(vendor: Api, properties: dict[str, Any]) -> None:
    price = {"model": "dynamic", "price_property": "price"}
    answer = preview(vendor, price, {"quantity": "1", "properties": {"price": 1}}, {"quantity": "1", "properties": properties})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["usage.1.properties.price"])


def put_forward(terms: explanation.PriceTerms) -> PriceTerms:
    """Terms of rating as a price to be."""
    return PriceTerms(
        meter="",
        model=terms.model,
        unit_price=terms.unit_price if terms.model == "per_unit" else None,
        unit_cost=terms.unit_cost,
        minimum_charge=terms.minimum_charge,
        package_size=terms.package_size,
        package_price=terms.package_price,
        free_units=terms.free_units,
        tiers=tuple(tier_put_forward(terms.model, tier) for tier in terms.tiers),
        percentage=None if terms.percentage is None else PercentageTerms(**terms.percentage._asdict()),
        price_property=terms.price_property,
    )


def tier_put_forward(model: str, tier: explanation.Tier) -> TierTerms:
    rate = tier.rate if model == "graduated_percentage" else None
    unit_price = tier.unit_price if model in ("graduated", "volume") else None
    return TierTerms(up_to=tier.up_to, unit_price=unit_price, flat_price=tier.flat_price, rate=rate)


@given(any_terms(*CUMULATIVE), st.lists(QUANTITIES, max_size=5), QUANTITIES)
def test_previewed_charges_are_differences_of_totals_exactly(
    terms: explanation.PriceTerms, usage: list[Any], prior: Any
) -> None:
    charges = preview_charges(
        price=put_forward(terms), usage=[Usage(D(quantity), {}) for quantity in usage], prior_quantity=D(prior)
    )
    total = Fraction(prior)
    for quantity, charge in zip(usage, charges, strict=True):
        before, total = total, total + Fraction(quantity)
        assert Fraction(charge.amount) == total_price(terms, total) - total_price(terms, before)
        if charge.tiers:
            assert sum((tier.amount for tier in charge.tiers), D(0)) == charge.amount


@given(any_terms(*PER_EVENT), st.lists(st.tuples(QUANTITIES, AMOUNTS), max_size=5), QUANTITIES)
def test_previewed_events_are_priced_one_by_one(terms: explanation.PriceTerms, usage: list[tuple[Any, D]], prior: Any) -> None:
    events = [Usage(D(quantity), {"price": own_price}) for quantity, own_price in usage]
    charges = preview_charges(price=put_forward(terms), usage=events, prior_quantity=D(prior))
    for number, (quantity, own_price) in enumerate(usage):
        before = [earlier for earlier, _ in usage[:number]]
        assert Fraction(charges[number].amount) == event_price(terms, quantity, before, own_price, prior=prior)
