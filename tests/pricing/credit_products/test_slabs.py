"""Bonus slabs."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from pricing.credit_products.slabs import Slab, bonus_of, slabs_problem

SLABS = [Slab(D(100), D(5)), Slab(D(500), D(10))]


@pytest.mark.parametrize(
    ("amount", "bonus"),
    [
        ("99.999999999999", "0"),
        ("100", "5"),  # 100 x 5 %
        ("499.99", "24.9995"),  # 499.99 x 5 %
        ("500", "50"),  # all of it at the higher rate: 500 x 10 %
        ("0.000000000001", "0"),
    ],
)
def test_the_highest_slab_reached_counts_for_all_of_it(amount: str, bonus: str) -> None:
    assert bonus_of(SLABS, D(amount)) == D(bonus)


def test_slabs_ascend() -> None:
    assert slabs_problem(SLABS) is None
    assert slabs_problem(SLABS[::-1]) is not None
    assert slabs_problem([SLABS[0], SLABS[0]]) is not None
