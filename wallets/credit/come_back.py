"""What came out of a wallet comes back: to the lots it was taken from, and to what the wallet owes, in one entry.

What was taken as overdraft and is repaid meanwhile goes to the lots that repaid it, newest first. Where something is still
owed, what came back to valid lots repays it, as any credit does. A lot that was voided gets its credit and is voided again by
an entry of its own; one that expired opens again and expires with the next sweep.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.credit.allowances import remember_allowance
from wallets.credit.enter import may_repay, postings_of_repayment
from wallets.credit.lots import store_remainders
from wallets.credit.models import CreditLot
from wallets.credit.void import void_entry
from wallets.ledger.chart import chart_account
from wallets.ledger.draws import standing_repayments
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO


@dataclass(slots=True)
class Work:
    """An entry in the making. back: what comes back, by lot row id; overdrawn: what was owed and is not any more."""

    wallet: LockedWallet
    postings: list[NewPosting] = field(default_factory=list)
    back: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    overdrawn: Decimal = ZERO


def lots_by_id(wallet: LockedWallet, lot_ids: set[int]) -> dict[int, CreditLot]:
    """Lots of a locked wallet, by row id."""
    return {lot.pk: lot for lot in CreditLot.objects.filter(bucket=wallet.bucket, pk__in=lot_ids)}


def settle_overdraft(work: Work, lots: dict[int, CreditLot], *, at: datetime) -> None:
    """Undone overdraft beyond what is owed now was repaid meanwhile: it goes to the lots that repaid it, newest first. The
    other way round, what came back to lots repays what is still owed."""
    wallet = work.wallet
    repaid = work.overdrawn - min(work.overdrawn, wallet.overdraft)
    if repaid:
        account = chart_account(LedgerAccount.Kind.OVERDRAFT_RECEIVABLE, wallet.currency)
        standing = standing_repayments(wallet_id=wallet.id, bucket=wallet.bucket, overdraft_account_id=account.id)
        lots.update(lots_by_id(wallet, {lot_id for lot_id, _ in standing} - lots.keys()))
        for lot_id, amount in standing:
            part = min(amount, repaid)
            repaid -= part
            _repay(work, lots[lot_id], -part)
            if not repaid:
                break
        assert repaid == ZERO, (wallet.id, repaid)
        return
    owed = wallet.overdraft - work.overdrawn
    for lot_id, amount in list(work.back.items()):
        part = min(owed, amount)
        if part and lots[lot_id].state != CreditLot.State.VOIDED and may_repay(lots[lot_id], at=at):
            owed -= part
            _repay(work, lots[lot_id], part)


def post_come_back(
    work: Work,
    lots: dict[int, CreditLot],
    kind: JournalEntry.Kind,
    *,
    reference: str,
    reason: str,
    actor: str,
    at: datetime,
) -> NewEntry:
    """Post the entry, void again what was voided, and write what the lots hold; the entry."""
    wallet = work.wallet
    entry = NewEntry(wallet, kind, work.postings, reference, reason, actor)
    gone = {lot_id: amount for lot_id, amount in work.back.items() if lots[lot_id].state == CreditLot.State.VOIDED}
    voids = [void_entry(wallet, lots[lot_id], amount, reason=reason, actor=actor) for lot_id, amount in gone.items()]
    post_entries([entry, *voids], at=at)
    for lot_id in work.back:
        if lots[lot_id].unit_meter:
            remember_allowance(wallet, lots[lot_id].unit_meter)
    store_remainders(
        [(lot_id, lots[lot_id].remaining + amount) for lot_id, amount in work.back.items() if lot_id not in gone],
        bucket=wallet.bucket,
    )
    return entry


def _repay(work: Work, lot: CreditLot, amount: Decimal) -> None:
    """`amount` of a lot repays overdraft; negative: a repayment comes back to it."""
    work.postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=amount, currency=work.wallet.currency)
    work.back[lot.pk] -= amount
