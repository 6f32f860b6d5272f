"""The life of a top-up: which state follows which. The database holds the same table (trigger top_up_moves)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CREATED: Final = "CREATED"
REQUIRES_ACTION: Final = "REQUIRES_ACTION"
PROCESSING: Final = "PROCESSING"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
EXPIRED: Final = "EXPIRED"
REFUNDED: Final = "REFUNDED"
DISPUTED: Final = "DISPUTED"

MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    CREATED: (REQUIRES_ACTION, PROCESSING, SUCCEEDED, FAILED, EXPIRED),
    REQUIRES_ACTION: (PROCESSING, SUCCEEDED, FAILED, EXPIRED),
    PROCESSING: (REQUIRES_ACTION, SUCCEEDED, FAILED, EXPIRED),
    SUCCEEDED: (REFUNDED, DISPUTED),
    # Money that arrives after we gave up on it has arrived all the same.
    FAILED: (SUCCEEDED,),
    EXPIRED: (SUCCEEDED,),
    # A refund that the bank sends back, or a dispute that was won.
    REFUNDED: (SUCCEEDED, DISPUTED),
    DISPUTED: (SUCCEEDED, REFUNDED),
}
"""State -> those it can become."""

STATES: Final = tuple(MOVES)
IN_FLIGHT: Final = (CREATED, REQUIRES_ACTION, PROCESSING)
"""Money may be on its way."""
PAID: Final = (SUCCEEDED, REFUNDED, DISPUTED)
"""Money arrived, and credit was granted for it once."""
