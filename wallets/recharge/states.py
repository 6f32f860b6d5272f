"""What can become of a decision to recharge, and why there may be none. Pure; the database holds the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

NOT_DONE: Final = "NOT_DONE"
IN_FLIGHT: Final = "IN_FLIGHT"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"

MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    NOT_DONE: (),
    IN_FLIGHT: (SUCCEEDED, FAILED),
    SUCCEEDED: (),
    # Money that arrives after we gave up on it has arrived all the same.
    FAILED: (SUCCEEDED,),
}
"""State of a decision -> those it can become."""
STATES: Final = tuple(MOVES)


class Cause(StrEnum):
    """What made us look: a debit that fell below, a later look, or a day of the calendar."""

    CROSSING = "crossing"
    LOOK = "look"
    SCHEDULE = "schedule"


class Reason(StrEnum):
    """Why nothing is charged now."""

    OFF = "off"
    ENOUGH = "enough"
    WALLET_CLOSED = "wallet_closed"
    WALLET_FROZEN = "wallet_frozen"
    ACCOUNT_SUSPENDED = "account_suspended"
    NO_CARDS_TAKEN = "no_cards_taken"
    NO_TERMS = "no_terms"
    IN_FLIGHT = "in_flight"
    CAP_TOO_SMALL = "cap_too_small"
    CAP_REACHED = "cap_reached"
    NO_CARD = "no_card"
    CARD_STOPPED = "card_stopped"
    COOLING_DOWN = "cooling_down"
    CARD_DECLINED = "card_declined"


REASONS: Final = tuple(str(reason) for reason in Reason)
TOLD: Final = frozenset(
    {
        Reason.CAP_REACHED, Reason.CAP_TOO_SMALL, Reason.NO_CARD, Reason.CARD_STOPPED, Reason.CARD_DECLINED, Reason.NO_TERMS,
        Reason.NO_CARDS_TAKEN,
    }
)  # fmt: skip
"""What the customer is told of: somebody may have to do something. The rest ends by itself or is the vendor's doing."""
