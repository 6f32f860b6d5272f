"""Every model by worked cases: usage in order, the charge of each event, and what was computed by hand."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from pricing.meters.quantity import NotAQuantity
from pricing.rating.explanation import Percentage, PriceTerms
from pricing.rating.rate import change, exact_of, is_cumulative, needs_counter, rate
from tests.pricing.rating.terms import shares, terms, tiers
from wallets.money import LARGEST

THREE = tiers("100 0.02 + 5", "1000 0.01", "- 0.005 + 1")
CARD = Percentage(D("1.5"), D("0.10"))


def charges(price: PriceTerms, *usage: str) -> list[D]:
    """The charges of events one after the other, each given the ones before it."""
    found, so_far = [], D(0)
    for number, quantity in enumerate(usage):
        found.append(rate(price, D(quantity), prior_quantity=so_far, prior_events=number)[0])
        so_far += D(quantity)
    return found


def cases(price: PriceTerms, *rows: tuple[str, str]) -> list[tuple[PriceTerms, str, str]]:
    return [(price, usage, amounts) for usage, amounts in rows]


@pytest.mark.parametrize(
    ("price", "usage", "amounts"),
    [
        *cases(
            terms("per_unit", unit_price="0.25", free_units="10"),
            # Within the free units nothing; exactly all of them still nothing
            ("4 6", "0 0"),
            # 12 are 2 beyond the free ones: 2 x 0.25 = 0.50; then each at 0.25
            ("12 1", "0.50 0.25"),
            # 9.5 are free, 1 more is half free: 0.5 x 0.25 = 0.125
            ("9.5 1", "0 0.125"),
        ),
        *cases(
            terms("package", package_size="1000", package_price="2.50"),
            # The first unit starts a package, the thousandth is still in it, the next starts another
            ("1 999 1", "2.50 0 2.50"),
            # 2,500 start 3 packages: 7.50; nothing starts none
            ("2500 0", "7.50 0"),
            # Half a unit above the border starts the second: 5.00
            ("1000.5", "5.00"),
        ),
        *cases(
            terms("package", package_size="0.5", package_price="0.10", free_units="2"),
            # 2 are free; 0.1 beyond starts a package, up to 0.5 beyond it lasts: 0.10, 0; 0.6 beyond starts the next
            ("2 0.1 0.4 0.1", "0 0.10 0 0.10"),
            # 5 are 3 beyond: 6 packages of 0.5: 0.60
            ("5", "0.60"),
        ),
        *cases(
            terms("graduated", tiers=THREE),
            # 100 x 0.02 + 5 once = 7; the 101st at 0.01
            ("100 1", "7 0.01"),
            # 100.5: 100 x 0.02 + 5 + 0.5 x 0.01 = 7.005
            ("100.5", "7.005"),
            # 1 x 0.02 + 5; 99 x 0.02 = 1.98; 900 x 0.01 = 9; the next enters the last tier: 0.005 + 1 once; then 0.005
            ("1 99 900 1 1", "5.02 1.98 9 1.005 0.005"),
            # All three at once: 7 + 9 + 500 x 0.005 + 1 = 19.5
            ("1500", "19.50"),
            # Nothing enters no tier; half a unit does
            ("0 0.5", "0 5.01"),
        ),
        *cases(
            terms("graduated", tiers=THREE, free_units="50"),
            # 50 free, and the tiers count what is beyond: 150 are 100 of the first tier, 7; 151 are one of the second
            ("50 100 1", "0 7 0.01"),
        ),
        *cases(
            terms("volume", tiers=THREE),
            # 100 x 0.02 + 5 = 7; 101 x 0.01 = 1.01, which gives back 5.99
            ("100 1", "7 -5.99"),
            # 100.5 are above 100: 100.5 x 0.01 = 1.005
            ("100.5", "1.005"),
            # 1,000 x 0.01 = 10; 1,001 x 0.005 + 1 = 6.005, which gives back 3.995; one more: 0.005
            ("1000 1 1", "10 -3.995 0.005"),
            ("0", "0"),
        ),
        *cases(
            terms("volume", tiers=tiers("10 1", "- 0.5"), free_units="5"),
            # 15 are 10 beyond the free ones: 10; 16 are 11: 5.50, which gives back 4.50
            ("5 10 1", "0 10 -4.50"),
        ),
        *cases(
            terms("stairstep", tiers=tiers("10 0 + 20", "50 0 + 60", "- 0 + 100")),
            # Up to 10: 20 whatever the quantity; 11: 60, 40 more; 50: nothing more; 50.5: 100, 40 more
            ("1 9 1 39 0.5", "20 0 40 0 40"),
            ("0", "0"),
            ("1000", "100"),
        ),
        *cases(
            terms("stairstep", tiers=tiers("10 0 + 20", "- 0 + 15"), free_units="2.5"),
            # 2.5 are free; 12.5 are 10 beyond: 20; then 15, which gives back 5
            ("2.5 10 0.5", "0 20 -5"),
        ),
        *cases(
            terms("graduated_percentage", tiers=shares("1000 2.9 + 1", "10000 2.5", "- 1.9 + 0.50")),
            # 2.9 % of 1,000 + 1 = 30; 2.5 % of 100 = 2.50
            ("1000 100", "30 2.50"),
            # 30 + 2.5 % of 9,000 = 225 + 1.9 % of 5,000 = 95 + 0.50: 350.50
            ("15000", "350.50"),
            # 2.9 % of 12.34 = 0.35786, and 1 once; then 2.9 % of 0.01 = 0.00029
            ("12.34 0.01", "1.35786 0.00029"),
        ),
        *cases(
            terms("percentage", percentage=CARD),
            # 1.5 % of 200 + 0.10 = 3.10; of 0.01: 0.00015 + 0.10; of nothing: 0.10
            ("200 0.01 0", "3.10 0.10015 0.10"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(minimum=D("0.30"), maximum=D("2"))),
            # 0.15 + 0.10 = 0.25, at least 0.30; 1.50 + 0.10 = 1.60; 3.10, at most 2
            ("10 100 200", "0.30 1.60 2"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(free_events=2)),
            # Two free whatever their amount, then 1.5 % of 100 + 0.10 each
            ("100 1000000 100 100", "0 0 1.60 1.60"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(free_events=0)),
            ("100", "1.60"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(free_amount=D(500))),
            # 500 free; of the event that crosses, 1.5 % of the 100 beyond, and fixed: 1.60; then all of it
            ("500 100", "0 1.60"),
            ("100 500 100", "0 1.60 1.60"),
            # Exactly within stays free, an event of nothing too; beyond it, fixed is due for an event of nothing
            ("499.99 0.01 0", "0 0 0"),
            ("500.01 0", "0.10015 0.10"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(free_events=2, free_amount=D(500), minimum=D("0.30"))),
            # Both must hold: the third event is charged though the amount is within: 0.15 + 0.10, at least 0.30
            ("10 10 10", "0 0 0.30"),
            # The second crosses: 1.5 % of 50 = 0.75 + 0.10; the third is beyond both: 1.5 % of 10 + 0.10, at least 0.30
            ("450 100 10", "0 0.85 0.30"),
            # 1 beyond: 0.015 + 0.10, at least 0.30
            ("501", "0.30"),
        ),
        *cases(
            terms("graduated", tiers=THREE, minimum_charge="0.05"),
            # With a minimum each event for itself: 7; 0.01, at least 0.05; 899 x 0.01 = 8.99
            ("100 1 899", "7 0.05 8.99"),
        ),
        *cases(
            terms("volume", tiers=THREE, minimum_charge="0.05"),
            # What would give back 5.99 costs the minimum
            ("100 1", "7 0.05"),
        ),
        *cases(
            terms("per_unit", unit_price="0.25", free_units="10", minimum_charge="1"),
            # A free event costs the minimum too; 6 x 0.25 = 1.50
            ("10 6", "1 1.50"),
        ),
        *cases(
            terms("percentage", percentage=CARD._replace(free_events=1), minimum_charge="0.50"),
            # Each event at least 0.50; 1.5 % of 100 + 0.10 = 1.60
            ("100 10 100", "0.50 0.50 1.60"),
        ),
    ],
)  # fmt: skip
def test_worked_by_hand(price: PriceTerms, usage: str, amounts: str) -> None:
    assert charges(price, *usage.split()) == [D(amount) for amount in amounts.split()]


def test_a_dynamic_price_is_what_the_event_says() -> None:
    price = terms("dynamic", price_property="price", unit_cost="0.01")
    # The quantity does not matter for what is charged: 3 at 0.50 are 0.50; our cost is 3 x 0.01
    assert rate(price, 3, own_price=D("0.50")) == (D("0.50"), D("0.03"), None)
    assert rate(price, 3, own_price=0)[0] == 0
    assert rate(terms("dynamic", price_property="price", minimum_charge="1"), 3, own_price=D("0.50"))[0] == 1
    with pytest.raises(NotAQuantity, match=r"properties.price must be the price"):
        rate(price, 3)


def test_our_cost_is_per_unit_whatever_the_model() -> None:
    for price in (terms("graduated", tiers=THREE, unit_cost="0.003"), terms("percentage", percentage=CARD, unit_cost="0.003")):
        # 150 x 0.003 = 0.45
        assert rate(price, 150, prior_quantity=70)[1] == D("0.45")


def test_thirds_of_a_unit_add_up() -> None:
    price = terms("per_unit", unit_price="0.000000000001", free_units="0.000000000001")
    # Thirds of a unit at the last decimal, the first a trillionth less: 0.33 of it is nothing, 0.67 is one, 1.00 is one
    third = "0.333333333333"
    assert charges(price, third, third, third) == [D(0), D("0.000000000001"), D(0)]


@pytest.mark.parametrize(
    "price",
    [
        terms("per_unit", unit_price="2", free_units="1"),
        terms("package", package_size="0.001", package_price="1"),
        terms("graduated", tiers=tiers("1 1", "- 2")),
        terms("volume", tiers=tiers("1 1", "- 2")),
        terms("percentage", percentage=Percentage(D(200))),
    ],
)
def test_an_amount_that_does_not_fit_is_refused(price: PriceTerms) -> None:
    with pytest.raises(OverflowError, match="does not fit"):
        rate(price, LARGEST)


@pytest.mark.parametrize("model", ["graduated", "volume", "package", "per_unit"])
def test_a_total_that_does_not_fit_is_refused(model: str) -> None:
    fields: dict[str, Any] = {"tiers": tiers("1 0", "- 0")} if model in ("graduated", "volume") else {"free_units": "1"}
    price = terms(model, **fields | ({"package_size": "1", "package_price": "0"} if model == "package" else {}))
    with pytest.raises(OverflowError, match="does not fit"):
        rate(price, 1, prior_quantity=LARGEST)


def test_what_a_void_gives_back() -> None:
    volume = terms("volume", tiers=THREE, unit_cost="0.001")
    # From 101 (1.01) back to 100 (7): 5.99 more, our cost 0.001 less
    assert change(volume, 101, 100) == (D("5.99"), D("-0.001"))
    assert change(volume, 100, 0) == (D(-7), D("-0.1"))
    assert is_cumulative(volume)
    per_event = terms("volume", tiers=THREE, minimum_charge="0.01")
    assert not is_cumulative(per_event)
    assert needs_counter(per_event)
    assert is_cumulative(terms("volume", tiers=THREE, minimum_charge="0"))
    with pytest.raises(AssertionError, match="is per event"):
        change(per_event, 101, 100)


def test_exact_amounts_are_not_rounded() -> None:
    # 0.333333333333 x 0.000000000001
    assert exact_of(terms("per_unit", unit_price="0.000000000001"))(D("0.333333333333"), 0, 0, None) == D("0.333333333333e-12")
    # 0.0000000001 % of 0.5
    assert exact_of(terms("percentage", percentage=Percentage(D("0.0000000001"))))(D("0.5"), 0, 0, None) == D("5e-13")
