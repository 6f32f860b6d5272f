"""What a commitment covers, and what happens at the border within one event."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.commitments.cover import cover_event, discounted, face_value


@pytest.mark.parametrize(
    ("amount", "discount", "covers"),
    [
        ("10", "20", "12.5"),  # 10 / 0.8
        ("10", "0", "10"),
        ("10", "27", "13.698630136986"),  # 10 / 0.73 = 13.69863013698630...
    ],
)
def test_a_commitment_covers_more_than_it_costs(amount: str, discount: str, covers: str) -> None:
    assert face_value(D(amount), discount_percent=D(discount)) == D(covers)


def test_an_event_at_the_border_is_discounted_as_far_as_the_commitment_reaches() -> None:
    within, beyond = cover_event(D(5), left=D(2))
    assert (within, beyond) == (D(2), D(3))
    assert discounted(within, discount_percent=D(20)) == D("1.6")


@given(left=st.decimals(0, 1000, places=12), events=st.lists(st.decimals(0, 100, places=12), max_size=20))
def test_events_are_covered_in_turn_and_nothing_is_lost(left: D, events: list[D]) -> None:
    held = left
    beyond_all = D(0)
    for event in events:
        within, beyond = cover_event(event, left=held)
        held -= within
        beyond_all += beyond
    assert held == max(left - sum(events), D(0))
    assert (left - held) + beyond_all == sum(events)
