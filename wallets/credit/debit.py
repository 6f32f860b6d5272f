"""Debit wallets for usage: the one code path by which credit is consumed (I2). Set-based: many wallets, many charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.credit.burn_down import Draw, Usage, burn_down
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.ledger.chart import ChartAccount, Kind, chart_account, liability_kind
from wallets.ledger.models import JournalEntry
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO


@dataclass(slots=True)
class WalletDebit:
    """What to take from one locked wallet: its charges in the order in which they are covered."""

    wallet: LockedWallet
    charges: list[Usage]
    reference: str = ""


def debit_wallets(debits: Sequence[WalletDebit], *, at: datetime) -> dict[int, int]:
    """Draw each wallet's charges from its lots (the rest becomes overdraft), post, cross thresholds, tell the news.

    debits: of locked wallets of one bucket, each wallet once. Returns wallet id -> journal entry id; a wallet whose
    charges are all zero gets no entry.
    """
    due = [debit for debit in debits if any(amount for _, amount, _ in debit.charges)]
    if not due:
        return {}
    bucket = due[0].wallet.bucket
    lots = drawable_lots([debit.wallet.id for debit in due], bucket=bucket)
    entries: list[NewEntry] = []
    remainders: dict[int, Decimal] = {}
    for debit in due:
        draws = burn_down(lots[debit.wallet.id], debit.charges)
        entries.append(NewEntry(debit.wallet, JournalEntry.Kind.USAGE, _postings(debit, draws), debit.reference))
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
            contra = accounts[meter] = chart_account(Kind.REVENUE, currency, meter)
        kind = Kind.OVERDRAFT_RECEIVABLE if lot is None else liability_kind(lot.kind)
        postings.append(
            NewPosting(chart_account(kind, currency), -amount, None if lot is None else lot.id, contra, line_from)
        )
        revenue[meter] = revenue.get(meter, ZERO) + amount
    postings.extend(NewPosting(accounts[meter], amount) for meter, amount in revenue.items())
    return postings
