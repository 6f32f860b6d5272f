"""Expire lots: paid credit that was not used in time is breakage (IFRS 15 B46, ASC 606-10-55-48); given credit comes off
its cost.

    paid          Dr prepaid liability        Cr breakage
    other kinds   Dr promotional liability    Cr promotional cost
    allowance     Dr allowance                Cr allowance issued
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet
from wallets.credit.activate import activate_lots
from wallets.credit.allowances import forget_spent_allowances
from wallets.credit.enter import account_given_up, account_of_lot
from wallets.credit.kept import kept_for_holds
from wallets.credit.lots import store_remainders
from wallets.credit.models import CreditLot
from wallets.credit.sweep import sweep_wallets
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO, plain
from wallets.outbox.topics import LotExpired, News

State = CreditLot.State
Account = LedgerAccount.Kind


def expire_lots(*, at: datetime) -> int:
    """End every lot whose `expires_at` has come, with an entry and a piece of news each; returns how many ended.

    Safe to repeat. Lots that should have entered the balance meanwhile enter it first, so that no lot comes and goes
    unseen. Works through the wallets some at a time, each lot in one transaction with its entry. Raises LockBusy at the
    end when wallets stayed locked; the others are done.
    """
    activate_lots(at=at)
    due = CreditLot.objects.filter(state=State.OPEN, expires_at__lte=at)
    return sweep_wallets(due, lambda wallets, bucket: expire_due(wallets, bucket=bucket, at=at))


def expire_due(wallets: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> int:
    """End the lots of these locked wallets of one bucket whose `expires_at` has come; returns how many ended.

    What holds depend on of them stays, and leaves with the first call after those have ended (`kept.py`).
    """
    lapse_due(wallets, bucket=bucket, at=at)
    lots = CreditLot.objects.filter(bucket=bucket, wallet_id__in=list(wallets), state=State.OPEN, expires_at__lte=at)
    due = list(lots.order_by("wallet_id", "expires_at", "id"))
    kept = _kept(wallets, due)
    leaving = [(lot, lot.remaining - kept.get(lot.pk, ZERO)) for lot in due]
    news: list[tuple[str, News]] = []
    entries: list[NewEntry] = []
    for lot, amount in leaving:
        if amount:
            currency = wallets[lot.wallet_id].currency
            told = LotExpired(lot.wallet_id, lot.public_id, plain(amount), currency, lot.unit_meter, lot.kind)
            news.append((f"wallet:{lot.wallet_id}", told))
            entries.append(_entry(wallets[lot.wallet_id], lot, amount))
    post_entries(entries, at=at, news=news)
    store_remainders(((lot.pk, kept[lot.pk]) for lot, amount in leaving if amount and lot.pk in kept), bucket=bucket)
    ended = [lot.pk for lot in due if lot.pk not in kept]
    CreditLot.objects.filter(bucket=bucket, pk__in=ended).update(state=State.EXPIRED, remaining=ZERO)
    forget_spent_allowances(wallets, bucket=bucket)
    return len(ended)


def _kept(wallets: Mapping[int, LockedWallet], due: Sequence[CreditLot]) -> dict[int, Decimal]:
    """How much of these lots holds depend on, by lot row id."""
    kept: dict[int, Decimal] = {}
    for wallet in wallets.values():
        if wallet.held:
            kept.update(kept_for_holds(wallet, leaving=[lot for lot in due if lot.wallet_id == wallet.id]))
    return kept


def _entry(wallet: LockedWallet, lot: CreditLot, amount: Decimal) -> NewEntry:
    contra = account_given_up(lot, currency=wallet.currency, paid=Account.BREAKAGE)
    liability = account_of_lot(lot, currency=wallet.currency)
    postings = [NewPosting(liability, -amount, lot.pk, contra), NewPosting(contra, amount)]
    of_a_plan = lot.kind == CreditLot.Kind.PLAN
    return NewEntry(wallet, JournalEntry.Kind.EXPIRY, postings, lot.public_id, lowers_reference=of_a_plan)
