"""Suggested amounts follow the pace of use, and can always be charged."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.payments.currencies import can_be_charged
from wallets.payments.suggest import suggest_amounts

USUAL = (D(10), D(50), D(100), D(500))


def offered(per_day: str | None) -> list[tuple[str, int | None]]:
    found = suggest_amounts(
        usual=USUAL, minimum=D(5), maximum=D(10_000), step=D("0.01"), per_day=None if per_day is None else D(per_day)
    )
    return [(f"{one.amount.normalize():f}", None if one.days is None else round(one.days)) for one in found]


@pytest.mark.parametrize(
    ("per_day", "amounts"),
    [
        (None, [("10", None), ("50", None), ("100", None), ("500", None)]),
        ("0", [("10", None), ("50", None), ("100", None), ("500", None)]),
        ("13.10", [("50", 4), ("100", 8), ("400", 31), ("500", 38)]),  # a week is 91.70, a month 393.00
        ("0.02", [("5", 250)]),  # the least that can be charged lasts for months
        ("900", [("8000", 9), ("10000", 11)]),  # a month is more than may be paid at once
    ],
)
def test_a_week_and_a_month_are_offered_beside_the_usual_amounts(
    per_day: str | None, amounts: list[tuple[str, int | None]]
) -> None:
    assert offered(per_day) == amounts


@given(st.decimals(min_value="0.000000000001", max_value="1e9", places=12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_whatever_is_offered_can_be_charged(per_day: D, currency: str) -> None:
    step = {"USD": D("0.01"), "JPY": D(1), "KWD": D("0.01")}[currency]
    found = suggest_amounts(usual=USUAL, minimum=D(5), maximum=D(10_000), step=step, per_day=per_day)
    assert found
    assert [one.amount for one in found] == sorted({one.amount for one in found})
    assert all(5 <= one.amount <= 10_000 and can_be_charged(one.amount, currency) for one in found)
