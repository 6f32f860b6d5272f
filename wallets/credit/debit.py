"""Debit wallets for usage: the one code path by which credit is consumed (I2). Set-based: many wallets, many charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.credit.activate import activate_due
from wallets.credit.burn_down import Covered, Demand, Draw, cover, demand_of
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.ledger.chart import ChartAccount, chart_account, liability_kind
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO

Kind = JournalEntry.Kind
Account = LedgerAccount.Kind


@dataclass(slots=True)
class WalletDebit:
    """What to take from one locked wallet: its charges in the order in which they are covered. `entry_id`: reserved, when
    the caller's rows name the entry already."""

    wallet: LockedWallet
    charges: Sequence[Covered]
    reference: str = ""
    entry_id: int = 0
    demand: Demand | None = None  # of these charges, where the caller has it


def debit_wallets(debits: Sequence[WalletDebit], *, at: datetime) -> dict[int, int]:
    """Draw each wallet's charges from its lots (the rest becomes overdraft), post, cross thresholds, tell the news. Lots
    whose time has come enter the balance first.

    debits: of locked wallets of one bucket, each wallet once. Returns wallet id -> journal entry id; a wallet whose
    charges are all zero gets no entry.
    """
    due = [debit for debit in debits if any(charge[1] for charge in debit.charges)]
    if not due:
        return {}
    bucket = due[0].wallet.bucket
    wallet_ids = [debit.wallet.id for debit in due]
    lots, entering = drawable_lots(wallet_ids, bucket=bucket, at=at)
    if entering:
        activate_due({debit.wallet.id: debit.wallet for debit in due if debit.wallet.id in entering}, bucket=bucket, at=at)
        lots, _ = drawable_lots(wallet_ids, bucket=bucket, at=at)
    entries: list[NewEntry] = []
    remainders: dict[int, Decimal] = {}
    for debit in due:
        draws = cover(lots[debit.wallet.id], debit.demand or demand_of(debit.charges))
        entries.append(
            NewEntry(debit.wallet, Kind.USAGE, _postings(debit, draws), debit.reference, id=debit.entry_id)
        )
        for draw in draws:
            if draw.lot is not None:
                remainders[draw.lot.id] = remainders.get(draw.lot.id, draw.lot.remaining) - draw.amount
    post_entries(entries, at=at)
    store_remainders(remainders.items(), bucket=bucket)
    return {entry.wallet.id: entry.id for entry in entries}


def _postings(debit: WalletDebit, draws: Sequence[Draw]) -> list[NewPosting]:
    """A line of draws for each meter, and its revenue."""
    currency = debit.wallet.currency
    revenue: dict[str, Decimal] = {}
    accounts: dict[str, ChartAccount] = {}
    postings: list[NewPosting] = []
    for meter, lot, line_from, amount in draws:
        contra = accounts.get(meter)
        if contra is None:
            contra = accounts[meter] = chart_account(Account.REVENUE, currency, meter)
        kind = Account.OVERDRAFT_RECEIVABLE if lot is None else liability_kind(lot.kind)
        postings.append(
            NewPosting(chart_account(kind, currency), -amount, None if lot is None else lot.id, contra, line_from)
        )
        revenue[meter] = revenue.get(meter, ZERO) + amount
    postings.extend(NewPosting(accounts[meter], amount) for meter, amount in revenue.items())
    return postings
