"""What a charge drew is what its interval shares with the draws of its line."""

from __future__ import annotations

import itertools
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from wallets.ledger.lines import DrawShare, LineDraw, draws_of_charge


def test_a_charge_inside_one_draw_has_all_of_its_amount_from_it() -> None:
    line = [LineDraw(7, D(0), D(10))]
    assert draws_of_charge(line, line_from=D(2), amount=D("0.5")) == [DrawShare(7, D("0.5"))]


def test_a_charge_across_two_draws_has_a_part_of_each() -> None:
    line = [LineDraw(7, D(0), D(3)), LineDraw(8, D(3), D(7))]
    assert draws_of_charge(line, line_from=D("2.5"), amount=D(2)) == [DrawShare(7, D("0.5")), DrawShare(8, D("1.5"))]


def test_what_no_lot_covered_is_overdraft() -> None:
    line = [LineDraw(7, D(0), D(1)), LineDraw(None, D(1), D(9))]
    assert draws_of_charge(line, line_from=D(0), amount=D(10)) == [DrawShare(7, D(1)), DrawShare(None, D(9))]


def test_a_draw_that_only_touches_the_charge_has_no_share() -> None:
    line = [LineDraw(7, D(0), D(1)), LineDraw(8, D(1), D(1)), LineDraw(9, D(2), D(1))]
    assert draws_of_charge(line, line_from=D(1), amount=D(1)) == [DrawShare(8, D(1))]


def test_neighbours_from_the_same_lot_are_one_share() -> None:
    line = [LineDraw(7, D(0), D(1)), LineDraw(7, D(1), D(1))]
    assert draws_of_charge(line, line_from=D(0), amount=D(2)) == [DrawShare(7, D(2))]


def test_a_charge_of_nothing_drew_nothing() -> None:
    assert draws_of_charge([LineDraw(7, D(0), D(1))], line_from=D(0), amount=D(0)) == []


amounts = st.decimals(min_value="0.000000000001", max_value="1000", places=12)


@given(draws=st.lists(st.tuples(st.sampled_from([1, 2, 3, None]), amounts), min_size=1), cuts=st.lists(amounts, max_size=8))
def test_charges_laid_end_to_end_take_the_whole_line_and_no_more(draws: list[tuple[int | None, D]], cuts: list[D]) -> None:
    line: list[LineDraw] = []
    end = D(0)
    for lot_id, amount in draws:
        line.append(LineDraw(lot_id, end, amount))
        end += amount
    bounds = [D(0), *sorted(cut for cut in cuts if cut < end), end]
    of_lot: dict[int | None, D] = {}
    for start, stop in itertools.pairwise(bounds):
        shares = draws_of_charge(line, line_from=start, amount=stop - start)
        assert sum((share.amount for share in shares), D(0)) == stop - start
        for share in shares:
            of_lot[share.lot_id] = of_lot.get(share.lot_id, D(0)) + share.amount
    drawn: dict[int | None, D] = {}
    for lot_id, amount in draws:
        drawn[lot_id] = drawn.get(lot_id, D(0)) + amount
    assert of_lot == drawn
