"""per_unit: quantity x unit price, at least the minimum charge; exact to the twelfth decimal. Pure."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pricing.meters.measure import LARGEST_WHOLE, Quantity
from pricing.rating.explanation import PriceTerms
from pricing.rating.rate import rate, rater_of
from wallets.money import LARGEST, QUANTUM

AMOUNTS = st.integers(0, 10**30 - 1).map(lambda units: D(units) * QUANTUM)
WHOLE = st.integers(0, LARGEST_WHOLE)


def price(unit_price: D | str | int, unit_cost: D | str | int = "0", minimum_charge: D | str | None = None) -> PriceTerms:
    """As the database has it: numeric(30,12), twelve decimals."""
    exact = [(D(amount) + 0 * QUANTUM) for amount in (unit_price, unit_cost)]
    return PriceTerms(1, "per_unit", exact[0], exact[1], None if minimum_charge is None else D(minimum_charge))


def half_up(exact: Fraction) -> D:
    """To twelve decimals, half up: by the definition, in whole numbers."""
    return D((exact * 10**12 + Fraction(1, 2)).__floor__()) * QUANTUM


@pytest.mark.parametrize(
    ("terms", "quantity", "amount", "cost"),
    [
        # 812 tokens at 1.25 USD a million: 812 x 0.00000125 = 0.001015
        (price("0.00000125"), 812, "0.001015", "0"),
        # 96 tokens at 10 USD a million, which cost us 4: 96 x 0.00001 = 0.00096; 96 x 0.000004 = 0.000384
        (price("0.00001", "0.000004"), 96, "0.00096", "0.000384"),
        # 2.5 hours at 0.30: 0.75
        (price("0.30"), D("2.5"), "0.75", "0"),
        # A third of a token at the smallest price: 0.333333333333 x 0.000000000001 = 0.000000000000333..., which is zero
        (price("0.000000000001"), D("0.333333333333"), "0", "0"),
        # Half a unit of the last decimal: 0.5 x 0.000000000001 is rounded up, 1.5 of it to two
        (price("0.000000000001"), D("0.5"), "0.000000000001", "0"),
        (price("0.000000000001"), D("1.5"), "0.000000000002", "0"),
        # 1,000 calls at 0.0001 = 0.10, at least 0.25: 0.25; what it costs us has no minimum: 1,000 x 0.00002 = 0.02
        (price("0.0001", "0.00002", "0.25"), 1_000, "0.25", "0.02"),
        # 2,500 calls at 0.0001 = 0.25: just the minimum; 2,501: 0.2501, above it
        (price("0.0001", minimum_charge="0.25"), 2_500, "0.25", "0"),
        (price("0.0001", minimum_charge="0.25"), 2_501, "0.2501", "0"),
        # Nothing used is charged the minimum of its event, and nothing where there is none
        (price("0.0001", minimum_charge="0.25"), 0, "0.25", "0"),
        (price("0.0001"), 0, "0", "0"),
        # A free meter that costs us something
        (price("0", "0.01"), 3, "0", "0.03"),
    ],
)
def test_worked_by_hand(terms: PriceTerms, quantity: Quantity, amount: str, cost: str) -> None:
    assert rate(terms, quantity) == (D(amount), D(cost), None)


@given(AMOUNTS, AMOUNTS, WHOLE | AMOUNTS)
def test_amount_and_cost_are_the_exact_products_to_twelve_decimals(unit_price: D, unit_cost: D, quantity: Quantity) -> None:
    exact = [half_up(Fraction(per_unit) * Fraction(quantity)) for per_unit in (unit_price, unit_cost)]
    assume(max(exact) <= LARGEST)
    assert rate(price(unit_price, unit_cost), quantity) == (exact[0], exact[1], None)


@given(AMOUNTS, WHOLE | AMOUNTS, AMOUNTS)
def test_a_minimum_charge_is_the_larger_of_both(unit_price: D, quantity: Quantity, minimum: D) -> None:
    exact = half_up(Fraction(unit_price) * Fraction(quantity))
    assume(exact <= LARGEST)
    assert rate(price(unit_price, minimum_charge=minimum), quantity)[0] == max(exact, minimum)


@given(AMOUNTS, AMOUNTS, WHOLE | AMOUNTS)
def test_what_does_not_fit_is_refused_and_nothing_else(unit_price: D, unit_cost: D, quantity: Quantity) -> None:
    fits = all(half_up(Fraction(per_unit) * Fraction(quantity)) <= LARGEST for per_unit in (unit_price, unit_cost))
    terms = price(unit_price, unit_cost)
    if fits:
        rate(terms, quantity)
    else:
        with pytest.raises(OverflowError, match="does not fit 30 digits"):
            rate(terms, quantity)


def test_the_largest_amount_fits_and_the_next_does_not() -> None:
    assert rate(price(1), LARGEST_WHOLE)[0] == LARGEST_WHOLE
    assert rate(price(1), LARGEST)[0] == LARGEST
    assert rate(price(LARGEST), 1)[0] == LARGEST
    for terms, quantity in (
        (price("1.000000000001"), LARGEST),
        (price(LARGEST), 2),
        (price(2), LARGEST_WHOLE),
        (price(0, 2), LARGEST_WHOLE),
    ):
        with pytest.raises(OverflowError):
            rate(terms, quantity)


@given(AMOUNTS, WHOLE, WHOLE)
def test_what_was_used_before_does_not_matter(unit_price: D, quantity: int, prior_quantity: int) -> None:
    assume(Fraction(unit_price) * quantity <= Fraction(LARGEST))
    terms = price(unit_price)
    assert (
        rate(terms, quantity, prior_quantity=prior_quantity)
        == rate(terms, quantity)
        == rater_of(terms)(quantity, prior_quantity)
    )


@given(AMOUNTS, AMOUNTS, WHOLE | AMOUNTS)
def test_only_what_twelve_decimals_do_not_hold_is_left_to_the_counter(unit_price: D, unit_cost: D, quantity: Quantity) -> None:
    exact = [Fraction(per_unit) * Fraction(quantity) for per_unit in (unit_price, unit_cost)]
    assume(max(exact) <= LARGEST)
    rated = rater_of(price(unit_price, unit_cost))(quantity)
    if all((amount * 10**12).denominator == 1 for amount in exact):
        assert rated == (*map(half_up, exact), None)
    else:
        assert rated is None
