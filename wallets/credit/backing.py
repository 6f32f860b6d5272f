"""What stands behind holds: how much more may be held, and which credit cannot leave because holds depend on it.

A hold is a promise: whatever is captured within it is covered. So what is held never exceeds the credit that is there, less
what is owed, plus the grace limit. Credit is not assigned to holds lot by lot (a capture draws in burn-down order like any
charge), so the promise is kept for the worst order of captures:

- Credit for some meters only backs a hold only when it may be used for everything the hold may be charged for; and while a
  wallet has such credit, every open hold must be backed even if all the others took the credit it could have used.
- Credit that ends while holds depend on it stays until they have ended (`kept.py`), out of reach of anything else, and
  pays for their captures (`pay_overdrawn`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet
from wallets.credit.activate import activate_due
from wallets.credit.burn_down import Lot
from wallets.credit.enter import postings_of_repayment
from wallets.credit.expire import expire_due
from wallets.credit.kept import grace_of
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.credit.models import CreditLot
from wallets.ledger.models import JournalEntry
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO


def settle_due(wallet: LockedWallet, *, at: datetime) -> list[Lot]:
    """Bring a locked wallet up to `at`: holds that have ended lapse, lots whose time has come enter, those whose end has come
    leave. Returns its open lots."""
    only = {wallet.id: wallet}
    lapse_due(only, bucket=wallet.bucket, at=at)
    lots, entering = drawable_lots([wallet.id], bucket=wallet.bucket, at=at)
    ended = any(lot.expires_at is not None and lot.expires_at <= at for lot in lots[wallet.id])
    if entering:
        activate_due(only, bucket=wallet.bucket, at=at)
    if ended or entering:
        expire_due(only, bucket=wallet.bucket, at=at)
        lots, _ = drawable_lots([wallet.id], bucket=wallet.bucket, at=at)
    return lots[wallet.id]


def can_hold(wallet: LockedWallet, lots: Sequence[Lot], *, meters: Collection[str]) -> Decimal:
    """How much more of a locked wallet that is settled (`settle_due`) can be held for these meters (empty: for anything);
    below zero when holds stand that credit no longer covers."""
    most = wallet.available + grace_of(wallet)
    if not any(lot.meters for lot in lots):
        return most
    for scope in {frozenset(meters), *_scopes_held(wallet)}:
        backing = sum((lot.remaining for lot in lots if backs(lot.meters, scope)), ZERO)
        most = min(most, backing - wallet.overdraft + grace_of(wallet) - wallet.held)
    return most


def can_leave(wallet: LockedWallet, lots: Sequence[Lot]) -> Decimal:
    """How much credit without a scope can leave a locked wallet without taking from under its holds what they depend on;
    where nothing is held, what is available."""
    return can_hold(wallet, lots, meters=()) - grace_of(wallet) if wallet.held else wallet.available


def backs(lot_meters: Collection[str], scope: Collection[str]) -> bool:
    """Whether a lot may be used for everything a hold of this scope may be charged for."""
    return not lot_meters or (bool(scope) and frozenset(scope) <= frozenset(lot_meters))


def pay_overdrawn(wallet: LockedWallet, *, overdrawn: Decimal, promised: Decimal, at: datetime, reference: str) -> None:
    """Pay for what a capture drew as overdraft (`overdrawn`) while the wallet has credit for it.

    A charge draws only lots that were valid at the time of the usage. A capture may be of credit that had ended and stayed
    for its hold (for up to `promised`), or that came a moment after the time the usage says: that credit was counted on.
    """
    lots = CreditLot.objects.filter(
        bucket=wallet.bucket, wallet_id=wallet.id, state=CreditLot.State.OPEN, unit_meter="", meters=[]
    )
    left = min(overdrawn, wallet.overdraft)
    of_ended = min(left, promised)
    postings: list[NewPosting] = []
    remainders: list[tuple[int, Decimal]] = []
    for lot in lots.order_by("expires_at", "id"):  # none last
        has_ended = lot.expires_at is not None and lot.expires_at <= at
        part = min(left, lot.remaining, of_ended if has_ended else left)
        if part <= ZERO:
            continue
        left -= part
        of_ended = min(left, of_ended - part) if has_ended else min(left, of_ended)
        postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=part, currency=wallet.currency)
        remainders.append((lot.pk, lot.remaining - part))
    if postings:
        reason = "Held credit pays for its capture"
        post_entries([NewEntry(wallet, JournalEntry.Kind.ADJUSTMENT, postings, reference, reason)], at=at)
        store_remainders(remainders, bucket=wallet.bucket)


def _scopes_held(wallet: LockedWallet) -> list[frozenset[str]]:
    """What the open holds of a locked wallet may be charged for; holds stand above, so by SQL."""
    if not wallet.held:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT meters FROM wallets_hold WHERE bucket = %s AND wallet_id = %s AND state = 'OPEN'",
            [wallet.bucket, wallet.id],
        )
        return [frozenset(meters) for (meters,) in cursor.fetchall()]
