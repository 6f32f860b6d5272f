"""Rating before the lock and under it: the same pure functions, so the same charge."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.rating.explanation import PriceTerms
from pricing.rating.rate import MODELS, NEEDS_PRIOR_QUANTITY, rate, rater_of

TERMS: Final = {"per_unit": PriceTerms(1, "per_unit", D("0.000000000007"), D("0.000004"), D("0.0001"))}


def test_every_model_has_terms_here() -> None:
    assert set(TERMS) == set(MODELS)
    assert set(MODELS) >= NEEDS_PRIOR_QUANTITY


@pytest.mark.parametrize("model", sorted(set(MODELS) - NEEDS_PRIOR_QUANTITY))
@given(quantity=st.integers(0, 10**9) | st.decimals(0, 10**9, places=12), prior=st.integers(0, 10**9))
def test_a_flat_price_gives_the_same_before_the_lock_and_under_it(model: str, quantity: int | D, prior: int) -> None:
    """Before the lock nobody knows what was used before (0); under it, it is known."""
    before_the_lock = rater_of(TERMS[model])(quantity, 0)
    under_the_lock = rate(TERMS[model], quantity, prior_quantity=prior)
    assert before_the_lock == under_the_lock
