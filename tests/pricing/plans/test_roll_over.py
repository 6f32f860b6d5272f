"""Roll-over against a naive model: single units, each remembering the period it was granted in."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.plans.roll_over import Leftover, Rule, roll_over

MODES = st.sampled_from(["none", "capped", "full"])


@pytest.mark.parametrize(
    ("rule", "goes_on"),
    [
        (Rule("none"), []),
        (Rule("full"), [(0, 10), (1, 20), (2, 30)]),
        # 2 periods: the units of period 0 went on into 1 and 2; 3 would be the third.
        (Rule("full", periods=2), [(1, 20), (2, 30)]),
        # 40 in all: the 30 of the last period, and 10 of the 20 before.
        (Rule("capped", cap=D(40)), [(1, 10), (2, 30)]),
        (Rule("capped", cap=D(40), periods=1), [(2, 30)]),
        (Rule("capped", cap=D(0)), []),
    ],
)
def test_what_goes_on_into_the_fourth_period(rule: Rule, goes_on: list[tuple[int, int]]) -> None:
    leftovers = [Leftover(2, D(30), 3), Leftover(0, D(10), 1), Leftover(1, D(20), 2)]
    assert [(one.origin, one.quantity) for one in roll_over(rule, leftovers, into=3)] == goes_on


def naive(rule: Rule, units: list[int], *, into: int) -> list[int]:
    """`units`: of each single unit left, the period it was granted in."""
    if rule.mode == "none":
        return []
    able = [origin for origin in units if rule.periods is None or into - origin <= rule.periods]
    if rule.mode == "full":
        return able
    assert rule.cap is not None
    return sorted(able, reverse=True)[: int(rule.cap)]


@given(
    mode=MODES,
    cap=st.integers(0, 30),
    periods=st.none() | st.integers(1, 4),
    grants=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20)), min_size=1, max_size=10),
)
def test_periods_on_end_as_a_naive_model(mode: str, cap: int, periods: int | None, grants: list[tuple[int, int]]) -> None:
    """Each period grants some units and uses some, oldest first; the rest rolls over."""
    rule = Rule(mode, D(cap) if mode == "capped" else None, periods)
    held: list[Leftover] = []
    units: list[int] = []
    for period, (granted, used) in enumerate(grants):
        held = [*roll_over(rule, held, into=period), Leftover(period, D(granted), period)]
        units = [*naive(rule, units, into=period), *[period] * granted]
        left = D(used)
        for index, one in enumerate(held):
            part = min(left, one.quantity)
            left -= part
            held[index] = one._replace(quantity=one.quantity - part)
        units = sorted(units)[used:]
        assert Counter(units) == Counter({one.origin: int(one.quantity) for one in held if one.quantity})
