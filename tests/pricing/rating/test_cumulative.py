"""Charges of a period add up to the price of its net total: any split, any order, any of it taken back, for every cumulative
model; models per event add up to the prices of the events. Against prices worked out otherwise (`naive.py`). Pure."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pricing.meters.quantity import Quantity
from pricing.rating.explanation import PriceTerms
from pricing.rating.rate import change, exact_of, is_cumulative, needs_counter, rate, rater_of, reach_of
from pricing.rating.tiers_used import tiers_used
from tests.pricing.rating.naive import event_price, rounded, total_price
from tests.pricing.rating.terms import AMOUNTS, CUMULATIVE, PER_EVENT, QUANTITIES, TIERED, any_terms, terms, tiers

USAGE = st.lists(QUANTITIES, min_size=1, max_size=8)


class Period:
    """A wallet's period at one price, as ingest keeps it: a counter where one is needed, charges without one elsewhere."""

    def __init__(self, price: PriceTerms) -> None:
        self.price, self.rater = price, rater_of(price)
        self.counted: Quantity = 0
        self.amount = self.cost = D(0)

    def charge(self, quantity: Quantity) -> bool:
        """Charge an event; whether the counter counts it."""
        counted = needs_counter(self.price)
        rated = self.rater(quantity, self.counted) if counted else self.rater(quantity)
        if rated is None:
            assert not needs_counter(self.price)
            counted = True
            self._move(quantity)
            return counted
        self.amount += rated[0]
        self.cost += rated[1]
        if counted:
            self.counted += quantity
        return counted

    def take_back(self, quantity: Quantity, *, counted: bool) -> None:
        """Void an event that was charged."""
        if counted:
            self._move(-quantity)
        else:
            amount, cost = change(self.price, quantity, 0)
            self.amount += amount
            self.cost += cost

    def _move(self, quantity: Quantity) -> None:
        amount, cost = change(self.price, self.counted, self.counted + quantity)
        self.counted += quantity
        self.amount += amount
        self.cost += cost


@given(any_terms(*CUMULATIVE), USAGE, st.data())
def test_any_split_with_any_of_it_taken_back_adds_up_to_the_price_of_the_net_total(
    price: PriceTerms, usage: list[Quantity], data: st.DataObject
) -> None:
    assert is_cumulative(price)
    period, standing = Period(price), []
    for quantity in usage:
        standing.append((quantity, period.charge(quantity)))
        while standing and data.draw(st.booleans(), "take one back"):
            taken, counted = standing.pop(data.draw(st.integers(0, len(standing) - 1), "which"))
            period.take_back(taken, counted=counted)
    net = sum((Fraction(quantity) for quantity, _ in standing), Fraction(0))
    assert Fraction(period.amount) == rounded(total_price(price, net))
    assert Fraction(period.cost) == rounded(Fraction(price.unit_cost) * net)


@given(any_terms(*CUMULATIVE), USAGE, st.permutations(range(8)))
def test_order_and_batching_do_not_matter(price: PriceTerms, usage: list[Quantity], order: list[int]) -> None:
    one_by_one, other_order, at_once = Period(price), Period(price), Period(price)
    for quantity in usage:
        one_by_one.charge(quantity)
    for index in order:
        if index < len(usage):
            other_order.charge(usage[index])
    at_once.charge(sum(usage, D(0)))
    assert one_by_one.amount == other_order.amount == at_once.amount
    assert one_by_one.cost == other_order.cost == at_once.cost


@given(any_terms(*CUMULATIVE), QUANTITIES, QUANTITIES)
def test_a_charge_is_the_difference_of_two_totals(price: PriceTerms, prior: Quantity, quantity: Quantity) -> None:
    if not needs_counter(price):
        prior = 0
    before, after = total_price(price, prior), total_price(price, Fraction(prior) + Fraction(quantity))
    amount, cost, _ = rate(price, quantity, prior_quantity=prior)
    assert Fraction(amount) == rounded(after) - rounded(before)
    assert (amount, cost) == change(price, prior, prior + quantity)
    assert Fraction(exact_of(price)(quantity, prior, 0, None)) == after - before


@given(
    any_terms(*PER_EVENT) | any_terms(*CUMULATIVE, *PER_EVENT, minimum=True),
    st.lists(st.tuples(QUANTITIES, AMOUNTS), max_size=6),
)
def test_events_of_a_price_per_event_are_priced_one_by_one(price: PriceTerms, usage: list[tuple[Quantity, D]]) -> None:
    assert not is_cumulative(price)
    rater, before = rater_of(price), list[Any]()
    for quantity, own_price in usage:
        # Without a counter nobody knows what was before.
        known = before if needs_counter(price) else []
        prior = sum((D(one) for one in known), D(0))
        rated = rater(quantity, prior, len(known), own_price)
        expected = event_price(price, quantity, known, own_price)
        assert rated is not None
        assert Fraction(rated[1]) == rounded(Fraction(price.unit_cost) * Fraction(quantity))
        if price.model in PER_EVENT:
            assert Fraction(rated[0]) == rounded(expected)
        else:  # the difference of two rounded totals
            assert abs(Fraction(rated[0]) - expected) <= Fraction(1, 10**12)
        exact = exact_of(price)(quantity, prior, len(known), own_price)
        assert Fraction(exact) == expected
        before.append(quantity)


@given(any_terms(*TIERED), QUANTITIES, QUANTITIES, st.booleans())
def test_the_tiers_used_explain_the_charge(price: PriceTerms, prior: Quantity, quantity: Quantity, taken_back: bool) -> None:  # noqa: FBT001
    start, part = (prior + quantity, -quantity) if taken_back else (prior, quantity)
    used = tiers_used(price, part, start)
    difference = total_price(price, Fraction(start) + Fraction(part)) - total_price(price, start)
    assert sum((Fraction(tier.amount) for tier in used), Fraction(0)) == difference
    beyond = [max(Fraction(total) - Fraction(price.free_units), Fraction(0)) for total in (start, start + part)]
    assert sum((Fraction(tier.quantity) for tier in used), Fraction(0)) == beyond[1] - beyond[0]
    assert {tier.up_to for tier in used} <= {tier.up_to for tier in price.tiers}


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 10**6))
def test_exact_shifts_do_not_move_the_rounding(unit_price: D, free_units: D, beyond: D, quantity: int) -> None:
    """Within a tier a product of 12 decimals is the charge, whatever fraction of a unit was before it."""
    price = terms("per_unit", unit_price=unit_price, free_units=free_units)
    assert rate(price, quantity, prior_quantity=free_units + beyond)[0] == unit_price * quantity


@given(price=any_terms(*CUMULATIVE), prior=QUANTITIES, quantities=st.lists(st.integers(1, 10**7), min_size=1, max_size=5))
def test_within_its_reach_a_price_is_one_slope(price: PriceTerms, prior: Quantity, quantities: list[int]) -> None:
    """The product that ingest takes for a charge is what the rater says, to the last decimal."""
    reach = reach_of(price)
    for quantity in quantities:
        until, slope = reach(prior) if reach else (-1, D(0))
        if prior + quantity <= until:
            assert (slope * quantity, price.unit_cost * quantity, None) == rate(price, quantity, prior_quantity=prior)
        prior = prior + quantity


def test_reach_ends_where_a_tier_does() -> None:
    reach = reach_of(terms("graduated", tiers=tiers("100 0.02", "250 0.01", "- 0")))
    assert reach is not None
    assert [reach(prior) for prior in (0, 99, 100, D("249.5"), 250)] == [
        (100, D("0.02")), (100, D("0.02")), (250, D("0.01")), (250, D("0.01")), (-1, D(0)),
    ]  # fmt: skip
