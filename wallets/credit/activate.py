"""Lots granted for the future enter the balance when their time comes: with the sweep, or with the first debit after it,
so that a lot can be used from the instant it is effective."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.credit.enter import postings_of_grant, postings_of_repayment, repayment
from wallets.credit.lots import store_remainders
from wallets.credit.models import CreditLot
from wallets.credit.sweep import sweep_wallets
from wallets.ledger.models import JournalEntry
from wallets.ledger.post import NewEntry, post_entries

State = CreditLot.State


def activate_lots(*, at: datetime) -> int:
    """Let every lot whose time has come enter its wallet's balance; returns how many did. Safe to repeat.

    Works through the wallets some at a time, each lot in one transaction with its entry. Raises LockBusy at the end when
    wallets stayed locked; the others are done.
    """
    due = CreditLot.objects.filter(state=State.SCHEDULED, effective_at__lte=at)
    return sweep_wallets(due, lambda wallets, bucket: activate_due(wallets, bucket=bucket, at=at))


def activate_due(wallets: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> int:
    """Let the lots of these locked wallets whose time has come enter the balance, oldest first; returns how many did.

    A lot repays what its wallet owes as one granted at `at` would. A lot whose wallet was closed meanwhile is voided.
    """
    lots = CreditLot.objects.filter(bucket=bucket, wallet_id__in=list(wallets), state=State.SCHEDULED, effective_at__lte=at)
    entries: list[NewEntry] = []
    remainders: list[tuple[int, Decimal]] = []
    orphans: list[int] = []
    owed = {wallet.id: wallet.overdraft for wallet in wallets.values()}
    for lot in lots.order_by("effective_at", "id"):
        wallet = wallets[lot.wallet_id]
        if wallet.status == Wallet.Status.CLOSED:
            orphans.append(lot.pk)
            continue
        lot.remaining = lot.amount
        postings = postings_of_grant(lot, currency=wallet.currency)
        repaid = repayment(lot, owed=owed[wallet.id], at=at)
        if repaid:
            postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=repaid, currency=wallet.currency)
            owed[wallet.id] -= repaid
        entries.append(NewEntry(wallet, JournalEntry.Kind.GRANT, postings, lot.public_id, lot.reason))
        remainders.append((lot.pk, lot.amount - repaid))
    if orphans:
        CreditLot.objects.filter(bucket=bucket, pk__in=orphans).update(state=State.VOIDED)
    post_entries(entries, at=at)
    store_remainders(remainders, bucket=bucket)
    return len(entries)
