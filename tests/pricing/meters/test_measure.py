"""Properties -> quantities, and the texts that prices, filters and reports compare. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.meters.measure import (
    LARGEST_WHOLE,
    MAX_DIMENSION,
    MAX_DIMENSIONS_BYTES,
    NotAQuantity,
    dimension_text,
    increase,
    measure,
    passes,
    quantity_of,
    reported_dimensions,
    unique_value,
)
from wallets.money import LARGEST, QUANTUM

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.integers())
)


@pytest.mark.parametrize(
    ("value", "quantity"),
    [
        (0, 0), (7, 7), (LARGEST_WHOLE, LARGEST_WHOLE), (D("0.5"), D("0.5")), (D("1E+3"), D(1_000)), (D("-0.0"), D(0)),
        ("812", D(812)), ("0.000000000001", QUANTUM), ("1e3", D(1_000)), ("1E-12", QUANTUM), ("+5", D(5)), (".5", D("0.5")),
        ("5.", D(5)),
        ("0.5000000000000000000", D("0.5")), (str(LARGEST), LARGEST),
    ],
)  # fmt: skip
def test_a_number_or_a_decimal_text_is_a_quantity(value: Any, quantity: D | int) -> None:
    assert quantity_of(value, name="n") == quantity


def test_whole_numbers_stay_whole_and_others_have_twelve_decimals() -> None:
    assert type(quantity_of(7, name="n")) is int
    assert str(quantity_of(D("1E+3"), name="n")) == "1000.000000000000"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (-1, "must not be negative"), (D("-0.1"), "must not be negative"), ("-1e-12", "must not be negative"),
        (LARGEST_WHOLE + 1, "is too large"), (10**400, "is too large"), (D("1E+1000"), "is too large"),
        ("1e999999999", "is too large"),
        (D("1E-13"), "has more than 12 decimals"), ("0.1234567890123", "has more than 12 decimals"),
        ("1e-999999999", "has more than 12 decimals"),
        (D("NaN"), "must be finite"), (D("sNaN"), "must be finite"), (D("Infinity"), "must be finite"),
        ("NaN", "must be a number, not 'NaN'"), ("inf", "must be a number, not 'inf'"), ("", "must be a number, not ''"),
        ("twelve", "must be a number, not 'twelve'"), ("1,5", "must be a number"), ("1_000", "must be a number"),
        (" 1", "must be a number"),
        ("1\n", "must be a number"), ("３", "must be a number"), ("0x10", "must be a number"),
        ("1e9999999999999999999", "must be a number"),
        ("x" * 100_000, "must be a number"), (True, "must be a number, not bool"), (None, "must be a number, not NoneType"),
        ([1], "must be a number, not list"), ({"n": 1}, "must be a number, not dict"), (0.5, "must be a number, not float"),
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_by_the_name_of_its_property(value: Any, why: str) -> None:
    with pytest.raises(NotAQuantity) as refused:
        quantity_of(value, name="tokens")
    assert str(refused.value).startswith("properties.tokens ")
    assert why in str(refused.value)
    assert len(str(refused.value)) < 500


@given(ANYTHING)
def test_anything_is_an_exact_quantity_or_refused(value: Any) -> None:
    try:
        quantity = quantity_of(value, name="n")
    except NotAQuantity:
        return
    assert quantity == D(value)
    assert 0 <= quantity <= LARGEST


@given(st.integers(0, 10**30 - 1))
def test_every_number_of_thirty_digits_is_one_quantity_however_it_is_written(units: int) -> None:
    exact = D(units) * QUANTUM
    assert quantity_of(exact, name="n") == quantity_of(f"{exact:f}", name="n") == quantity_of(f"{exact:E}", name="n") == exact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-5", "gpt-5"), ("", ""), ("1.0", "1.0"), (None, None), (True, "true"), (False, "false"), (1, "1"), (0, "0"),
        (-3, "-3"),
        (D("1.50"), "1.5"), (D("1E+3"), "1000"), (D(0), "0"), (10**40, "1" + "0" * 40), ([], None), ({}, None),
        ({"a": 1}, None),
    ],
)  # fmt: skip
def test_values_are_compared_as_texts(value: Any, text: str | None) -> None:
    assert dimension_text(value) == text


@dataclass(frozen=True)
class Measured:
    """A meter as far as it measures."""

    aggregation: str
    property: str = ""
    expression: str = ""


@pytest.mark.parametrize(
    ("meter", "properties", "quantity"),
    [
        (Measured("count"), {}, 1),
        (Measured("sum", "tokens"), {"tokens": 812}, 812),
        (Measured("sum", "tokens"), {"tokens": None}, None),
        (Measured("sum", "tokens"), {}, None),
        (Measured("max", "seats"), {"seats": "7"}, 7),
        (Measured("latest", "seats"), {"seats": 0}, 0),
        (Measured("sum", expression="input - cached"), {"input": 9, "cached": 4}, 5),
        (Measured("max", expression="input - cached"), {}, None),
        (Measured("unique", "user"), {"user": "u_77"}, 1),
        (Measured("unique", "user"), {"user": 77}, 1),
        (Measured("unique", "user"), {"user": None}, None),
    ],
)
def test_a_meter_measures_by_its_aggregation(meter: Measured, properties: dict[str, Any], quantity: int | None) -> None:
    assert measure(meter, properties) == quantity


def test_what_a_unique_meter_cannot_tell_apart_is_refused() -> None:
    for value in ([1], {"a": 1}):
        with pytest.raises(NotAQuantity, match=r"properties.user must be a text, a number or a boolean"):
            measure(Measured("unique", "user"), {"user": value})
    assert {unique_value("user", {"user": value}) for value in ("1", 1, D("1.0"))} == {"1"}


@given(st.lists(st.integers(0, 100), min_size=1))
def test_increases_add_up_to_what_the_aggregation_says(values: list[int]) -> None:
    for aggregation, total in (("sum", sum(values)), ("max", max(values)), ("latest", values[-1])):
        so_far = 0
        for value in values:
            so_far += increase(aggregation, value, so_far)
        assert so_far == total


def test_a_number_is_one_text_however_it_was_sent() -> None:
    assert {dimension_text(one) for one in (2, D(2), D("2.0"), D("2E0"), D("0.2E1"))} == {"2"}


def test_an_event_passes_a_filter_by_its_value_or_one_of_several() -> None:
    filters = {"region": ["eu", "us"], "cached": "false", "retries": 0}
    assert passes(filters, {"region": "eu", "cached": "false", "retries": "0"})
    assert not passes(filters, {"region": "asia", "cached": "false", "retries": "0"})
    assert not passes(filters, {"region": "eu", "cached": "true", "retries": "0"})
    assert not passes(filters, {"region": "eu", "cached": "false"})
    assert not passes(filters, {"region": "eu", "cached": None, "retries": "0"})
    assert passes({}, {})


def test_usage_is_reported_by_the_dimensions_that_are_there_in_order() -> None:
    texts = {"model": "gpt-5", "user": None, "endpoint": "", "other": "x"}
    assert list(reported_dimensions(["user", "model", "endpoint"], texts).items()) == [
        ("endpoint", ""),
        ("model", "gpt-5"),
    ]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20), st.none() | st.text(max_size=200) | st.text("€😀", max_size=200), max_size=10
    )
)
def test_reported_dimensions_always_fit_an_index_entry(texts: dict[str, str | None]) -> None:
    kept = reported_dimensions(texts, texts)
    assert sum(len(name.encode()) + len(text.encode()) for name, text in kept.items()) <= MAX_DIMENSIONS_BYTES
    for name, text in kept.items():
        assert (texts[name] or "")[:MAX_DIMENSION].startswith(text)
    assert set(kept) == {name for name, text in texts.items() if text is not None}


def test_short_dimensions_are_reported_whole() -> None:
    texts: dict[str, str | None] = {f"dimension_{number}": "x" * MAX_DIMENSION for number in range(10)}
    assert reported_dimensions(texts, texts) == texts
