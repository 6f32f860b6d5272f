"""Which threshold a change of balance crosses: an edge, not a level. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

PERCENTS: Final = (0, 5, 20, 50)
ARMED: Final = 100


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
