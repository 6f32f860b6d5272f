"""Crossings, as arithmetic: what a course of balances tells, against a slow reading of the rules."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from wallets.balances.thresholds import ARMED, NONE_FIRED, Edge, Fired, Thresholds, below, credit_counts, fall, rise

HUNDRED = Thresholds((5, 20, 50), (), D(100))
sums = st.decimals(-200, 1_200, places=2)
watched_things = st.builds(
    Thresholds,
    st.lists(st.integers(1, 99), max_size=4, unique=True).map(sorted),
    st.lists(st.decimals(1, 500, places=2), max_size=3, unique=True).map(sorted),
    st.decimals(0, 1_000, places=2),
)


def levels(watched: Thresholds, fired: Fired) -> set[D]:
    """The levels that count as crossed."""
    percents = {watched.reference * one / 100 for one in (0, *watched.percents) if one >= fired.percent}
    return percents | {one for one in watched.amounts if fired.amount is not None and one >= fired.amount}


def level(watched: Thresholds, edge: Edge) -> D:
    return edge.amount if edge.amount is not None else watched.reference * D(edge.percent or 0) / 100


def test_a_fall_through_several_tells_the_lowest() -> None:
    assert fall(HUNDRED, NONE_FIRED, after=D(3)) == (Fired(5), Edge(5, None))
    assert fall(HUNDRED, Fired(5), after=D(1)) == (Fired(5), None)
    with_amounts = Thresholds((5, 20, 50), (D(3), D(30)), D(100))
    assert fall(with_amounts, NONE_FIRED, after=D(3)) == (Fired(5, D(3)), Edge(None, D(3)))
    assert fall(with_amounts, NONE_FIRED, after=D(4)) == (Fired(5, D(30)), Edge(5, None))


def test_what_is_little_above_a_threshold_is_not_back_but_credit_that_counts_is() -> None:
    assert rise(HUNDRED, Fired(20), after=D("24.99"), counts=False) == (Fired(20), None)
    assert rise(HUNDRED, Fired(20), after=D(25), counts=False) == (Fired(50), Edge(20, None, back=True))
    assert rise(HUNDRED, Fired(20), after=D(51), counts=True) == (NONE_FIRED, Edge(50, None, back=True, clear=True))
    used_up = rise(HUNDRED, Fired(0), after=D(1), counts=False)
    assert used_up == (Fired(5), Edge(0, None, back=True, resumed=True))


def test_credit_counts_by_what_it_adds_to_what_can_be_spent() -> None:
    assert credit_counts(reference=D(100), before=D(3), after=D(23))
    assert not credit_counts(reference=D(100), before=D(19), after=D(20))
    assert not credit_counts(reference=D(100), before=D(-50), after=D(-20))
    assert not credit_counts(reference=D(100), before=D(-50), after=D("0.5"))
    assert credit_counts(reference=D(0), before=D(0), after=D("0.5"))


@given(watched=watched_things, start=sums, course=st.lists(st.tuples(sums, st.booleans()), max_size=25))
def test_an_edge_is_told_once_until_the_balance_was_well_above_again(
    watched: Thresholds, start: D, course: list[tuple[D, bool]]
) -> None:
    fired, balance = below(watched, balance=start), start
    told: set[D] = levels(watched, fired)
    for after, counts in course:
        was = levels(watched, fired)
        fired, edge = fall(watched, fired, after=after) if after < balance else rise(watched, fired, after=after, counts=counts)
        now = levels(watched, fired)
        if after < balance:
            reached = {one for one in levels(watched, Fired(0, D(0))) if after <= one}
            assert now >= was
            assert (edge is not None) == bool(reached - was)
            if edge is not None:
                assert (edge.back, level(watched, edge)) == (False, min(reached - was))
                assert level(watched, edge) not in told
        else:
            assert now <= was
            assert all(after > one or counts is False for one in was - now)
            assert all(after >= one for one in was - now)
            assert edge is None or (edge.back and edge.clear == (not now))
        told, balance = now, after
    assert fired.percent <= ARMED
