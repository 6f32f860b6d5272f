"""The life of a subscription: which state follows which. The database holds the same table (trigger subscription_moves)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TRIALING: Final = "TRIALING"
ACTIVE: Final = "ACTIVE"
PAST_DUE: Final = "PAST_DUE"
PAUSED: Final = "PAUSED"
CANCELLED: Final = "CANCELLED"

MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    TRIALING: (ACTIVE, PAST_DUE, CANCELLED),
    ACTIVE: (PAST_DUE, PAUSED, CANCELLED),
    PAST_DUE: (ACTIVE, CANCELLED),
    PAUSED: (ACTIVE, CANCELLED),
    CANCELLED: (),
}
"""State -> those it can become."""

STATES: Final = tuple(MOVES)
LIVE: Final = tuple(state for state in STATES if state != CANCELLED)
