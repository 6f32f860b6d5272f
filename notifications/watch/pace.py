"""When a pace is worth telling: pure."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

RUNS_OUT_WITHIN: Final = Decimal(3)
"""Days left at which it is told; told again only after twice as many were left."""
DOUBLED: Final = Decimal(2)
"""Times the week before at which it is told; told again only after it was below CALM times."""
CALM: Final = Decimal("1.5")
LEAST_DAYS: Final = 3
"""Days with usage that make a week to compare with."""
LEAST_SHARE: Final = Decimal("0.01")
"""Of the wallet's reference: less burnt in a day is nobody's news."""


def days_left(*, available: Decimal, per_day: Decimal) -> Decimal | None:
    """Days until a balance is used up at a pace; None when nothing is used, or nothing is left."""
    if per_day <= 0 or available <= 0:
        return None
    return available / per_day


def in_words(days: Decimal) -> int:
    """Whole days, as people say it: at least one."""
    return max(1, int(days.to_integral_value(rounding=ROUND_CEILING)))


def watch_run_out(*, left: Decimal | None, told: bool) -> tuple[bool, bool]:
    """Whether a forecast is to be told now, and whether it counts as told from now on."""
    if left is None:
        return False, False
    if left <= RUNS_OUT_WITHIN:
        return not told, True
    return False, told and left < 2 * RUNS_OUT_WITHIN


def watch_doubled(*, day: Decimal, week: Decimal, days_used: int, reference: Decimal, told: bool) -> tuple[bool, bool]:
    """Whether a burn is to be told now as doubled, and whether it counts as told from now on. week: the seven days before."""
    usual = week / 7
    if usual <= 0 or days_used < LEAST_DAYS:
        return False, False
    if day >= DOUBLED * usual and day >= reference * LEAST_SHARE:
        return not told, True
    return False, told and day >= CALM * usual
