"""Which lots charges would draw from: the burn-down, told charge by charge. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from wallets.credit.burn_down import Covered, Lot, burn_down
from wallets.money import ZERO


class ChargeCovered(NamedTuple):
    """What one charge draws: from which lots in which order, and what no lot covers."""

    draws: list[tuple[Lot, Decimal]]
    overdraft: Decimal


def draws_by_charge(lots: Sequence[Lot], charges: Sequence[Covered]) -> list[ChargeCovered]:
    """Cover `charges`, one after the other, from `lots` (given as listed). Nothing is changed."""
    lines: dict[str, deque[tuple[Lot | None, Decimal]]] = defaultdict(deque)
    for meter, lot, _, amount in burn_down(lots, charges):
        lines[meter].append((lot, amount))
    covered = []
    for meter, amount, _ in charges:
        line, left = lines[meter], amount
        draws, overdraft = list[tuple[Lot, Decimal]](), ZERO
        while left > ZERO:
            lot, there = line.popleft()
            part = min(left, there)
            left -= part
            if part < there:
                line.appendleft((lot, there - part))
            if lot is None:
                overdraft += part
            else:
                draws.append((lot, part))
        covered.append(ChargeCovered(draws, overdraft))
    assert not any(lines.values()), "what was drawn is what was charged"
    return covered
