"""Which lots a charge draws from: cases finance can read, then an oracle that takes one penny at a time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.cases.burn_down import burn_down_case, draws_by_charge
from wallets.credit import burn_down as subject
from wallets.credit.burn_down import Covered, Lot, burn_down


@burn_down_case
def test_promotional_credit_goes_before_paid_credit_of_the_same_priority_and_expiry() -> None:
    """
    lots     paid    50.00 USD  expires 2027-01-01
             promo   10.00 USD  expires 2027-01-01
    charge   12.00 USD on llm.output_tokens at 2026-11-23
    draws    promo 10.00, paid 2.00
    left     paid 48.00
    """


@burn_down_case
def test_the_lot_that_expires_sooner_goes_first_also_when_it_is_paid() -> None:
    """
    lots     promo   10.00 USD  expires 2027-06-01
             paid    10.00 USD  expires 2027-01-01
    charge   4.00 USD on calls at 2026-11-23
    draws    paid 4.00
    left     promo 10.00, paid 6.00
    """


@burn_down_case
def test_a_lot_without_an_end_goes_last_of_its_priority() -> None:
    """
    lots     trial   5.00 USD
             paid    5.00 USD  expires 2099-01-01
    charge   6.00 USD on calls at 2026-11-23
    draws    paid 5.00, trial 1.00
    left     trial 4.00
    """


@burn_down_case
def test_the_lower_priority_number_goes_before_everything_else() -> None:
    """
    lots     promo   5.00 USD  expires 2026-12-01
             paid    5.00 USD  priority 10
    charge   7.00 USD on calls at 2026-11-23
    draws    paid 5.00, promo 2.00
    left     promo 3.00
    """


@burn_down_case
def test_of_lots_alike_the_one_effective_earlier_goes_first() -> None:
    """
    lots     paid-2  5.00 USD  from 2026-03-01
             paid-1  5.00 USD  from 2026-02-01
    charge   6.00 USD on calls at 2026-11-23
    draws    paid-1 5.00, paid-2 1.00
    left     paid-2 4.00
    """


@burn_down_case
def test_of_lots_alike_in_everything_the_one_listed_first_goes_first() -> None:
    """
    lots     paid-1  5.00 USD
             paid-2  5.00 USD
    charge   6.00 USD on calls at 2026-11-23
    draws    paid-1 5.00, paid-2 1.00
    left     paid-2 4.00
    """


@burn_down_case
def test_a_lot_can_be_drawn_from_the_instant_it_is_effective_until_before_it_expires() -> None:
    """
    lots     trial   5.00 USD  from 2026-11-10  expires 2026-11-20
             paid    50.00 USD
    charge   1.00 USD on calls at 2026-11-09
             1.00 USD on calls at 2026-11-10
             1.00 USD on calls at 2026-11-19
             1.00 USD on calls at 2026-11-20
    draws    paid 1.00
             trial 1.00
             trial 1.00
             paid 1.00
    left     trial 3.00, paid 48.00
    """


@burn_down_case
def test_a_lot_with_a_scope_pays_for_its_meters_only() -> None:
    """
    lots     promo   5.00 USD  priority 1  for llm.input_tokens,llm.output_tokens
             paid    5.00 USD
    charge   2.00 USD on calls at 2026-11-23
             2.00 USD on llm.input_tokens at 2026-11-23
    draws    paid 2.00
             promo 2.00
    left     promo 3.00, paid 3.00
    """


@burn_down_case
def test_what_no_lot_covers_is_overdraft_also_while_lots_with_another_scope_hold_credit() -> None:
    """
    lots     promo   5.00 USD  for llm.output_tokens
             paid    1.00 USD
    charge   3.00 USD on calls at 2026-11-23
    draws    paid 1.00, overdraft 2.00
    left     promo 5.00
    """


@burn_down_case
def test_a_wallet_without_lots_goes_into_overdraft() -> None:
    """
    charge   3.00 USD on calls at 2026-11-23
    draws    overdraft 3.00
    left     nothing
    """


@burn_down_case
def test_charges_are_covered_one_after_the_other_across_meters() -> None:
    """
    lots     paid    3.00 USD
             paid-2  9.00 USD  priority 60
    charge   2.00 USD on calls at 2026-11-23
             2.00 USD on tokens at 2026-11-23
             2.00 USD on calls at 2026-11-23
    draws    paid 2.00
             paid 1.00, paid-2 1.00
             paid-2 2.00
    left     paid-2 6.00
    """


def test_a_charge_of_nothing_draws_nothing() -> None:
    lot = Lot(1, "paid", 50, NOON, None, Decimal(1))
    assert burn_down([lot], [("calls", Decimal(0), NOON)]) == []
    assert burn_down([lot], []) == []


def test_neither_lots_nor_their_order_are_changed() -> None:
    lots = [Lot(1, "paid", 50, NOON, None, Decimal(1)), Lot(2, "trial", 10, NOON, None, Decimal(1))]
    burn_down(lots, [("calls", Decimal("1.5"), NOON)])
    assert [(lot.id, lot.remaining) for lot in lots] == [(1, Decimal(1)), (2, Decimal(1))]


# --- against an oracle ---------------------------------------------------------------------------------------------------

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METERS = ("calls", "tokens", "seconds")
moments = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))


@st.composite
def some_lots(draw: st.DrawFn) -> list[Lot]:
    lots = []
    for number in range(draw(st.integers(0, 6))):
        effective_at = draw(moments)
        length = draw(st.one_of(st.none(), st.integers(1, 5)))
        lots.append(
            Lot(
                number,
                draw(st.sampled_from(["paid", "promotional", "trial"])),
                draw(st.sampled_from([10, 50])),
                effective_at,
                None if length is None else effective_at + timedelta(hours=length),
                Decimal(draw(st.integers(1, 12))),
                frozenset(draw(st.one_of(st.just([]), st.lists(st.sampled_from(METERS), min_size=1)))),
            )
        )
    return lots


some_charges = st.lists(st.tuples(st.sampled_from(METERS), st.integers(0, 10).map(Decimal), moments), max_size=6)


def one_penny_at_a_time(lots: list[Lot], charges: list[Covered]) -> list[Counter[int | None]]:
    """The order of DESIGN section 2 in the plainest way: for each penny, the best lot that may still pay it."""
    left = {lot.id: int(lot.remaining) for lot in lots}
    drawn = []
    for meter, amount, at in charges:
        of_charge: Counter[int | None] = Counter()
        for _ in range(int(amount)):
            may_pay = [
                (lot.priority, lot.expires_at is None, lot.expires_at or NOON, lot.kind == "paid", lot.effective_at, listed)
                for listed, lot in enumerate(lots)
                if left[lot.id]
                and lot.effective_at <= at
                and (lot.expires_at is None or lot.expires_at > at)
                and (not lot.meters or meter in lot.meters)
            ]
            best = lots[min(may_pay)[-1]].id if may_pay else None
            of_charge[best] += 1
            if best is not None:
                left[best] -= 1
        drawn.append(of_charge)
    return drawn


@given(lots=some_lots(), charges=some_charges)
def test_draws_are_those_of_one_penny_at_a_time(lots: list[Lot], charges: list[Covered]) -> None:
    assert draws_by_charge(lots, charges) == one_penny_at_a_time(lots, charges)


@given(lots=some_lots(), charges=some_charges)
def test_the_quick_way_for_the_usual_case_is_the_general_way(lots: list[Lot], charges: list[Covered]) -> None:
    with patch.object(subject, "_covers_all", lambda lot, demand: False):
        general = burn_down(lots, charges)
    assert burn_down(lots, charges) == general


@given(lots=some_lots(), charges=some_charges)
def test_every_charge_is_covered_in_full_and_no_lot_gives_more_than_it_holds(lots: list[Lot], charges: list[Covered]) -> None:
    drawn = draws_by_charge(lots, charges)
    assert [sum(of_charge.values()) for of_charge in drawn] == [amount for _, amount, _ in charges]
    for lot in lots:
        assert sum(of_charge.get(lot.id, Decimal(0)) for of_charge in drawn) <= lot.remaining
