"""The fields a price of each model has; what is wrong with them is named by row and field."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.validate import findings
from pricing.rating.rate import MODELS

TIERS = (TierTerms(up_to=D(100), unit_price=D("0.02"), flat_price=D(5)), TierTerms(unit_price=D("0.01")))
STEPS = (TierTerms(up_to=D(10), flat_price=D(20)), TierTerms(flat_price=D(60)))
SHARES = (TierTerms(up_to=D(10), rate=D("2.9")), TierTerms(rate=D("1.9"), flat_price=D("0.5")))
FINE: dict[str, dict[str, Any]] = {
    "per_unit": {"unit_price": D("0.01"), "free_units": D(10)},
    "package": {"package_size": D(1000), "package_price": D("2.50"), "free_units": D(10)},
    "graduated": {"tiers": TIERS, "free_units": D(10)},
    "volume": {"tiers": TIERS},
    "stairstep": {"tiers": STEPS},
    "percentage": {"percentage": PercentageTerms(rate=D("1.5"), fixed=D("0.10"), free_events=3, maximum=D(2))},
    "graduated_percentage": {"tiers": SHARES},
    "dynamic": {"price_property": "price"},
}


def wrong(model: str, /, **fields: Any) -> list[str]:
    """The fields that are refused in row 1, after a fine row 0."""
    price = PriceTerms(**{"meter": "out", "model": model, **FINE.get(model, {})} | fields)
    other = PriceTerms(meter="in", unit_price=D(1))
    found = findings([other, price], currency="USD", meters={"out": True, "in": True})
    assert all(one.row == 1 and one.expected for one in found)
    return [one.field for one in found]


def tier(**changes: Any) -> dict[str, Any]:
    """Three tiers, the middle one changed."""
    return {"tiers": (TIERS[0], TierTerms(**{"up_to": D(200), "unit_price": D(1)} | changes), TIERS[1])}


def percentage(**changes: Any) -> dict[str, Any]:
    return {"percentage": PercentageTerms(**{"rate": D(1)} | changes)}


def test_every_model_has_fine_terms_here() -> None:
    assert set(FINE) == set(MODELS)
    for model in FINE:
        assert wrong(model) == []
        assert wrong(model, unit_cost=D("0.001"), minimum_charge=D("0.05")) == []


def test_fields_of_other_models_may_be_there_as_long_as_they_are_empty() -> None:
    empty = {
        "unit_price": D(0), "package_size": None, "package_price": D(0), "free_units": D(0), "tiers": (),
        "percentage": PercentageTerms(), "price_property": "",
    }  # fmt: skip
    for model, fields in FINE.items():
        assert wrong(model, **empty | fields) == []


@pytest.mark.parametrize("model", sorted(FINE))
def test_a_filled_field_of_another_model_is_refused(model: str) -> None:
    filled = {
        "unit_price": D("0.01"), "package_size": D(1), "package_price": D(1), "free_units": D(1), "tiers": TIERS,
        "percentage": PercentageTerms(rate=D(1)), "price_property": "price",
    }  # fmt: skip
    own = set(FINE[model]) | ({"free_units"} if model not in ("percentage", "dynamic") else set())
    for name, value in filled.items():
        if name not in own:
            assert wrong(model, **{name: value}) == [name]


@pytest.mark.parametrize(
    ("model", "fields", "named"),
    [
        ("by the moon", {}, "model"),
        ("per_unit", {"free_units": D(-1)}, "free_units"),
        ("per_unit", {"free_units": D("1e-13")}, "free_units"),
        ("package", {"package_size": None}, "package_size"),
        ("package", {"package_size": D(0)}, "package_size"),
        ("package", {"package_size": D(-1)}, "package_size"),
        ("package", {"package_price": None}, "package_price"),
        ("package", {"package_price": D(-1)}, "package_price"),
        ("graduated", {"tiers": ()}, "tiers"),
        ("graduated", {"tiers": TIERS[:1] * 101}, "tiers"),
        ("graduated", {"tiers": TIERS[:1]}, "tiers.0.up_to"),
        ("graduated", tier(up_to=None), "tiers.1.up_to"),
        ("graduated", tier(up_to=D(100)), "tiers.1.up_to"),
        ("graduated", tier(up_to=D("99.9")), "tiers.1.up_to"),
        ("graduated", tier(up_to=D(-1)), "tiers.1.up_to"),
        ("graduated", tier(up_to=D(0)), "tiers.1.up_to"),
        ("graduated", tier(up_to=D("NaN")), "tiers.1.up_to"),
        ("graduated", tier(up_to=D("100.0000000000001")), "tiers.1.up_to"),
        ("graduated", tier(unit_price=None), "tiers.1.unit_price"),
        ("graduated", tier(unit_price=D(-1)), "tiers.1.unit_price"),
        ("volume", tier(flat_price=D(-1)), "tiers.1.flat_price"),
        ("volume", tier(flat_price=D("0.0000000000001")), "tiers.1.flat_price"),
        ("volume", tier(rate=D(1)), "tiers.1.rate"),
        ("stairstep", {"tiers": (STEPS[0], TierTerms())}, "tiers.1.flat_price"),
        ("stairstep", {"tiers": (STEPS[0], TierTerms(flat_price=D(1), unit_price=D(1)))}, "tiers.1.unit_price"),
        ("graduated_percentage", {"tiers": (SHARES[0], TierTerms())}, "tiers.1.rate"),
        ("graduated_percentage", {"tiers": (SHARES[0], TierTerms(rate=D(1), unit_price=D(1)))}, "tiers.1.unit_price"),
        ("percentage", {"percentage": None}, "percentage.rate"),
        ("percentage", percentage(rate=D(-1)), "percentage.rate"),
        ("percentage", percentage(fixed=D(-1)), "percentage.fixed"),
        ("percentage", percentage(free_events=-1), "percentage.free_events"),
        ("percentage", percentage(free_events=True), "percentage.free_events"),
        ("percentage", percentage(free_events=10**13), "percentage.free_events"),
        ("percentage", percentage(free_amount=D(-1)), "percentage.free_amount"),
        ("percentage", percentage(minimum=D("NaN")), "percentage.minimum"),
        ("percentage", percentage(maximum=D("1e18")), "percentage.maximum"),
        ("percentage", percentage(minimum=D(2), maximum=D(1)), "percentage.maximum"),
        ("dynamic", {"price_property": None}, "price_property"),
        ("dynamic", {"price_property": "x" * 121}, "price_property"),
        ("dynamic", {"price_property": "a\x00"}, "price_property"),
        ("dynamic", {"minimum_charge": D(-1)}, "minimum_charge"),
    ],
)
def test_what_is_not_acceptable_is_named(model: str, fields: dict[str, Any], named: str) -> None:
    assert wrong(model, **fields) == [named]
