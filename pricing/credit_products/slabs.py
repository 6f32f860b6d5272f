"""Bonus slabs: the more is paid at once, the more is given on top (from 100: 5 %, from 500: 10 %). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from wallets.money import EXACT, ZERO, to_scale


class Slab(NamedTuple):
    """From this amount on, this many percent of it are given on top."""

    from_amount: Decimal
    percent: Decimal


def bonus_of(slabs: Sequence[Slab], amount: Decimal) -> Decimal:
    """The bonus on `amount`: the percentage of the highest slab it reaches, on all of it; in 12 decimals. Zero below."""
    reached = [slab for slab in slabs if slab.from_amount <= amount]
    if not reached:
        return ZERO
    percent = max(reached, key=lambda slab: slab.from_amount).percent
    return to_scale(EXACT.divide(EXACT.multiply(amount, percent), Decimal(100)))


def slabs_problem(slabs: Sequence[Slab]) -> str | None:
    """What is expected instead of these slabs; None when each begins above the one before it."""
    if any(after.from_amount <= before.from_amount for before, after in pairwise(slabs)):
        return "slabs in ascending order, each from another amount"
    return None
