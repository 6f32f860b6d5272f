"""Give a locked wallet credit against something it was just charged, so that the vendor bears it.

    Dr promotional cost    Cr promotional liability (and what is owed is repaid from it first)

It is an adjustment, not a grant: it does not raise the balance that alerts measure against.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.credit.enter import postings_of_grant, postings_of_repayment, repayment, state_of
from wallets.credit.models import CreditLot
from wallets.ledger.models import JournalEntry
from wallets.ledger.post import NewEntry, post_entries


def forgive(wallet: LockedWallet, amount: Decimal, *, at: datetime, reference: str, reason: str) -> CreditLot:
    """Give `amount` (above zero) as a compensation lot, drawn before anything else."""
    lot = CreditLot(
        bucket=wallet.bucket,
        wallet_id=wallet.id,
        kind=CreditLot.Kind.COMPENSATION,
        amount=amount,
        remaining=amount,
        priority=0,
        effective_at=at,
        reason=reason,
        source=reference,
        created_at=at,
    )
    repaid = repayment(lot, owed=wallet.overdraft, at=at)
    lot.remaining -= repaid
    lot.state = state_of(lot)
    lot.save(force_insert=True)
    postings = postings_of_grant(lot, currency=wallet.currency)
    if repaid:
        postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=repaid, currency=wallet.currency)
    post_entries([NewEntry(wallet, JournalEntry.Kind.ADJUSTMENT, postings, reference, reason)], at=at)
    return lot
