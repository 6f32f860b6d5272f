"""Which prices can stand in one version."""

from __future__ import annotations

from decimal import Decimal as D
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.books.validate import Finding, PricesRefused, PriceTerms, check_prices, findings, match_texts

METERS = {"out": True, "in": True, "old": False}


def price(match: dict[str, Any] | None = None, /, **values: Any) -> PriceTerms:
    return PriceTerms(**{"meter": "out", "match": match or {}, "unit_price": D("0.01")} | values)


def wrong(*prices: PriceTerms) -> list[tuple[int, str]]:
    return [(one.row, one.field) for one in findings(prices, currency="USD", meters=METERS)]


def test_prices_that_every_event_matches_once_are_fine() -> None:
    prices = [
        price(),
        price({"model": "a"}),
        price({"model": "b"}, currency="USD", unit_cost=D("0.001"), minimum_charge=D("0.5")),
        price({"model": "a", "region": "eu"}),
        price(meter="in"),
    ]
    assert wrong(*prices) == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("meter", {"meter": "nothing"}),
        ("meter", {"meter": "old"}),
        ("currency", {"currency": "eur"}),
        ("model", {"model": "by the moon"}),
        ("unit_price", {"unit_price": None}),
        ("unit_price", {"unit_price": D("-0.01")}),
        ("unit_price", {"unit_price": D("NaN")}),
        ("unit_price", {"unit_price": D("Infinity")}),
        ("unit_price", {"unit_price": D("0.0000000000001")}),
        ("unit_price", {"unit_price": D("1e18")}),
        ("unit_price", {"unit_price": D("1e-99999")}),
        ("unit_cost", {"unit_cost": D("-1")}),
        ("minimum_charge", {"minimum_charge": D("-1")}),
        ("match.model", {"match": {"model": None}}),
        ("match.model", {"match": {"model": ["a"]}}),
        ("match.model", {"match": {"model": ""}}),
        ("match.model", {"match": {"model": "x" * 256}}),
        ("match", {"match": {"": "x"}}),
        ("match", {"match": {str(number): "x" for number in range(11)}}),
    ],
)
def test_a_price_that_is_not_acceptable_is_named_by_row_and_field(field: str, values: dict[str, Any]) -> None:
    assert wrong(price({"region": "eu"}), price(**values)) == [(1, field)]


def test_twelve_decimals_are_fine_however_they_are_written() -> None:
    assert wrong(price(unit_price=D("0.000000000001")), price({"a": "b"}, unit_price=D("0.0000000000010000"))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"model": "a"}, {"model": "a"}),
        ({"size": 1}, {"size": "1"}),
        ({"size": D("1.0")}, {"size": 1}),
        ({"cached": True}, {"cached": "true"}),
        ({"model": "a"}, {"region": "eu"}),
        ({"model": "a", "region": "eu"}, {"region": "eu", "tier": "x"}),
    ],
)
def test_two_prices_one_event_could_match_equally_well_are_refused(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert wrong(price(one), price({"zone": "q", "a": "b", "c": "d"}), price(other)) == [(2, "match")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"model": "a"}, {"model": "b"}),
        ({"model": "a"}, {}),
        ({"model": "a", "region": "eu"}, {"model": "b", "tier": "x"}),
        ({"model": "a", "region": "eu"}, {"region": "eu"}),
    ],
)
def test_two_prices_no_event_matches_equally_well_are_fine(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert wrong(price(one), price(other)) == []


VALUES = st.sampled_from(["x", "y"])
MATCHES = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(st.lists(MATCHES, min_size=1, max_size=5))
def test_prices_are_refused_exactly_when_some_event_has_no_one_best_match(matches: list[dict[str, str]]) -> None:
    def best(event: dict[str, str]) -> int:
        sizes = [len(match) for match in matches if match.items() <= event.items()]
        return sizes.count(max(sizes)) if sizes else 0

    events = [dict(zip("abc", values, strict=True)) for values in product("xyz", repeat=3)]
    # A pair of equal size may be hidden behind a better match for each of its events; it is refused all the same.
    hidden = any(
        len(one) == len(other) and all(other.get(name, value) == value for name, value in one.items())
        for index, one in enumerate(matches)
        for other in matches[:index]
    )
    clashing = any(best(event) > 1 for event in events)
    assert bool(wrong(*(price(match) for match in matches))) == hidden
    assert not (clashing and not hidden)


def test_ten_thousand_prices_are_checked_at_once() -> None:
    prices = [price({"model": f"model-{number}", "region": f"region-{number % 7}"}) for number in range(9_999)]
    assert wrong(*prices, price({"model": "model-3", "tier": "x"})) == [(9_999, "match")]


def test_no_price_and_too_many_are_refused() -> None:
    for prices in ([], [price({"n": number}) for number in range(10_001)]):
        with pytest.raises(PricesRefused) as refused:
            check_prices(prices, currency="USD", meters=METERS)
        assert list(refused.value.fields) == ["prices"]


def test_a_refusal_names_fields_as_the_wire_does() -> None:
    with pytest.raises(PricesRefused) as refused:
        check_prices([price(), price({"model": "a"}, unit_price=D(-1))], currency="USD", meters=METERS)
    assert refused.value.fields == {"prices.1.unit_price": "not negative"}
    assert Finding(3, "unit_price", "").name == "prices.3.unit_price"


def test_a_match_is_kept_as_text() -> None:
    assert match_texts({"a": 1, "b": D("1.50"), "c": False, "d": "x"}) == {"a": "1", "b": "1.5", "c": "false", "d": "x"}
