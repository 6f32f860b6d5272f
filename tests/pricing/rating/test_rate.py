"""Rating before the lock and under it: the same pure functions, so the same charge."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.rating.explanation import Percentage, PriceTerms, Tier
from pricing.rating.rate import MODELS, needs_counter, rate, rater_of

TIERS: Final = (Tier(D(100), D("0.02"), D(5)), Tier(None, D("0.01")))
TERMS: Final = {
    "per_unit": PriceTerms(1, "per_unit", D("0.000000000007"), D("0.000004"), D("0.0001")),
    "package": PriceTerms(1, "package", D(0), D(0), package_size=D(1000), package_price=D("2.50")),
    "graduated": PriceTerms(1, "graduated", D(0), D(0), tiers=TIERS),
    "volume": PriceTerms(1, "volume", D(0), D(0), tiers=TIERS),
    "stairstep": PriceTerms(1, "stairstep", D(0), D(0), tiers=(Tier(D(100), flat_price=D(5)), Tier(None, flat_price=D(8)))),
    "percentage": PriceTerms(1, "percentage", D(0), D("0.01"), percentage=Percentage(D("1.5"), D("0.10"))),
    "graduated_percentage": PriceTerms(
        1, "graduated_percentage", D(0), D(0), tiers=(Tier(D(100), rate=D("2.9")), Tier(None, rate=D("1.5")))
    ),
    "dynamic": PriceTerms(1, "dynamic", D(0), D("0.01"), price_property="price"),
}


def test_every_model_has_terms_here() -> None:
    assert set(TERMS) == set(MODELS)


@pytest.mark.parametrize("model", sorted(model for model, terms in TERMS.items() if not needs_counter(terms)))
@given(quantity=st.integers(0, 10**9) | st.decimals(0, 10**9, places=12), prior=st.integers(0, 10**9))
def test_a_flat_price_gives_the_same_before_the_lock_and_under_it(model: str, quantity: int | D, prior: int) -> None:
    """Before the lock nobody knows what was used before (0); under it, it is known."""
    before_the_lock = rater_of(TERMS[model])(quantity, 0, 0, 7)
    under_the_lock = rate(TERMS[model], quantity, prior_quantity=prior, prior_events=prior, own_price=7)
    assert before_the_lock == under_the_lock


def test_what_was_before_decides_for_every_other_model() -> None:
    assert {model for model, terms in TERMS.items() if needs_counter(terms)} == {
        "package", "graduated", "volume", "stairstep", "graduated_percentage",
    }  # fmt: skip
    assert needs_counter(PriceTerms(1, "per_unit", D(1), D(0), free_units=D(1)))
    assert needs_counter(PriceTerms(1, "percentage", D(0), D(0), percentage=Percentage(D(1), free_events=0)))
    assert needs_counter(PriceTerms(1, "percentage", D(0), D(0), percentage=Percentage(D(1), free_amount=D(0))))
