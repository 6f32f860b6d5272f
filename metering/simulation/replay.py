"""Who would have run empty: each wallet's days once more, with usage at other prices. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from wallets.money import EXACT, ZERO


class Low(NamedTuple):
    """The first day that ended below zero (None: none did), and the lowest end of a day."""

    day: date | None
    lowest: Decimal


def lowest_balance(opening: Decimal, other: Mapping[date, Decimal], used: Mapping[date, Decimal]) -> Low:
    """A balance day by day: `other` changes it (credit in, expiry out), `used` is taken off."""
    balance, first, lowest = opening, None, opening
    for day in sorted(other.keys() | used.keys()):
        balance += other.get(day, ZERO) - used.get(day, ZERO)
        if balance < ZERO and first is None:
            first = day
        lowest = min(lowest, balance)
    return Low(first, lowest)


def recharges_more(before: Decimal, after: Decimal, *, usual: Decimal | None) -> int | None:
    """How many recharges of the usual size the lowest balance `after` needs to lack no more than `before` did; None when
    there is no usual size."""
    if not usual:
        return None
    lacks = max(-after, ZERO) - max(-before, ZERO)
    return int((max(lacks, ZERO) / usual).to_integral_value(rounding=ROUND_CEILING, context=EXACT))
