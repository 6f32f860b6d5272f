"""The lives of refunds, disputes and withdrawals: which state follows which. The database holds the same tables (triggers
refund_moves, dispute_moves, withdrawal_moves)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Of a refund.
WAITING: Final = "WAITING"
CREATED: Final = "CREATED"
PENDING: Final = "PENDING"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
DECLINED: Final = "DECLINED"

REFUND_MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    # A second person has to approve it; nothing is taken yet.
    WAITING: (CREATED, DECLINED),
    # The credit is taken; the provider is to be asked.
    CREATED: (PENDING, SUCCEEDED, FAILED),
    PENDING: (SUCCEEDED, FAILED),
    # The bank may send the money back weeks later.
    SUCCEEDED: (FAILED,),
    # A provider that says otherwise later is believed.
    FAILED: (PENDING, SUCCEEDED),
    DECLINED: (),
}
REFUND_STATES: Final = tuple(REFUND_MOVES)
TAKEN: Final = (CREATED, PENDING, SUCCEEDED)
"""The credit is out of the wallet."""
ON_ITS_WAY: Final = (CREATED, PENDING)
"""The credit is out of the wallet, the money has not left yet."""

# Of a dispute.
INQUIRY: Final = "INQUIRY"
OPEN: Final = "OPEN"
WON: Final = "WON"
LOST: Final = "LOST"
CLOSED: Final = "CLOSED"

DISPUTE_MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    # The bank asks; no money is withheld. Webhooks may be late, so that the end of a dispute is the first we see of it.
    INQUIRY: (OPEN, WON, LOST, CLOSED),
    OPEN: (WON, LOST, CLOSED),
    # A bank may decide again.
    WON: (OPEN, LOST),
    LOST: (OPEN, WON),
    CLOSED: (OPEN, WON, LOST),
}
DISPUTE_STATES: Final = tuple(DISPUTE_MOVES)
FROZEN: Final = (OPEN, LOST)
"""The money is not with us, and the credit is out of the wallet."""

# Of a withdrawal.
REQUESTED: Final = "REQUESTED"
CONFIRMED: Final = "CONFIRMED"
APPROVED: Final = "APPROVED"
PAYING: Final = "PAYING"
PAID: Final = "PAID"
CANCELLED: Final = "CANCELLED"
LAPSED: Final = "LAPSED"

WITHDRAWAL_MOVES: Final[Mapping[str, tuple[str, ...]]] = {
    # The link in the e-mail has not been followed yet.
    REQUESTED: (CONFIRMED, CANCELLED, LAPSED),
    # The credit is held, and finance has it in its queue.
    CONFIRMED: (APPROVED, DECLINED, CANCELLED, LAPSED),
    # It waits for the end of the time in which it can be cancelled.
    APPROVED: (PAYING, CANCELLED, FAILED, LAPSED),
    PAYING: (PAID, FAILED),
    PAID: (FAILED,),
    CANCELLED: (),
    DECLINED: (),
    LAPSED: (),
    FAILED: (PAID,),
}
WITHDRAWAL_STATES: Final = tuple(WITHDRAWAL_MOVES)
CANCELLABLE: Final = (REQUESTED, CONFIRMED, APPROVED)
"""Before the payout."""
HELD: Final = (CONFIRMED, APPROVED)
"""The credit is set aside."""
