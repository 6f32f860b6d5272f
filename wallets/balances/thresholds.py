"""Which threshold a change of balance crosses: an edge, not a level. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

PERCENTS: Final = (0, 5, 20, 50)
ARMED: Final = 100


def falls_below(threshold: Decimal, *, after: Decimal, armed: bool) -> tuple[bool, bool]:
    """Whether a balance that is `after` now has fallen below an absolute threshold since it was last told, and whether the
    threshold is armed from now on: the balance is at it or above."""
    return armed and after < threshold, after >= threshold


def crossed_percent(*, reference: Decimal, after: Decimal, armed: int) -> int | None:
    """The lowest threshold (percent of `reference`, the balance after the last credit) that `after` has reached and that
    was still armed; None when there is none. Several crossed at once tell the lowest.

    armed: the lowest threshold crossed since the last credit, or ARMED; only thresholds below it can be crossed.
    """
    for percent in PERCENTS:
        if percent >= armed:
            return None
        if after * 100 <= reference * percent:
            return percent
    return None
