"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from wallets.amount_text import decimals_of, exact_text, headline_text, line_text, quantity_text, unit_price_text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("41.2", "USD", "41.20 USD"),
        ("1204551.2", "USD", "1,204,551.20 USD"),
        ("41.1991", "USD", "41.20 USD"),
        ("0", "USD", "0.00 USD"),
        ("-3.5", "EUR", "−3.50 EUR"),
        ("0.0000361", "USD", "0.000036 USD"),
        ("-0.001", "USD", "−0.001 USD"),
        ("5200", "JPY", "5,200 JPY"),
        ("0.4", "JPY", "0.4 JPY"),
        ("12", "CREDITS", "12.00 CREDITS"),
        ("1.2345", "KWD", "1.234 KWD"),
    ],
)
def test_a_headline_has_minor_units_unless_the_amount_would_vanish(amount: str, currency: str, text: str) -> None:
    assert str(headline_text(D(amount), currency)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.01204", "0.01204 USD"),
        ("0.000036", "0.000036 USD"),
        ("0.123456789", "0.1235 USD"),
        ("0.5", "0.50 USD"),
        ("-0.5021", "−0.5021 USD"),
        ("12.3456", "12.35 USD"),
        ("0.99999999", "1.00 USD"),
        ("0.000000000001", "0.000000000001 USD"),
    ],
)
def test_a_line_shows_what_matters_of_a_small_amount(amount: str, text: str) -> None:
    assert str(line_text(D(amount), "USD")) == text


def test_exact_amounts_line_up_in_their_column() -> None:
    amounts = [D("12.5"), D("-0.012040000000")]
    places = max(decimals_of(amount, "USD") for amount in amounts)
    assert [str(exact_text(amount, "USD", places=places)) for amount in amounts] == ["12.50000 USD", "−0.01204 USD"]
    assert exact_text(D("12.5"), "USD", places=places).zeros == "000"


def test_the_exact_amount_is_always_at_hand() -> None:
    assert headline_text(D("41.199100000000"), "USD").exact == "41.1991"


@pytest.mark.parametrize(("quantity", "text"), [("1204", "1,204"), ("0.500", "0.5"), ("1000000", "1,000,000"), ("-96", "−96")])
def test_a_quantity_has_groups_and_no_idle_zeros(quantity: str, text: str) -> None:
    assert quantity_text(D(quantity)) == text


@pytest.mark.parametrize(
    ("price", "unit", "text"),
    [
        ("0.00001", "token", "10.00 USD per million tokens"),
        ("0.00000015", "", "0.15 USD per million"),
        ("0.0025", "call", "0.0025 USD per call"),
        ("1250", "", "1,250.00 USD each"),
        ("0", "token", "free"),
    ],
)
def test_a_tiny_price_is_told_by_the_million(price: str, unit: str, text: str) -> None:
    assert unit_price_text(D(price), "USD", unit) == text
