"""Debit wallets for usage: the one code path by which credit is consumed (I2). Set-based: many wallets, many charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from wallets.balances.lock import LockedWallet
from wallets.credit.activate import activate_due
from wallets.credit.allowances import UnitDraw
from wallets.credit.burn_down import Covered, Demand, Draw, cover, demand_of
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.ledger.chart import UNITS, ChartAccount, chart_account, liability_kind
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
    units: Sequence[UnitDraw] = ()  # what allowances covered of the usage (`allowances.py`), before it was priced


def debit_wallets(debits: Sequence[WalletDebit], *, at: datetime, meanwhile: str = "") -> dict[int, int]:
    """Draw each wallet's charges from its lots (the rest becomes overdraft), post, cross thresholds, tell the news. Lots
    whose time has come enter the balance first.

    debits: of locked wallets of one bucket, each wallet once. `meanwhile`: a statement of the caller's that the database
    carries out beside. Returns wallet id -> journal entry id; a wallet whose charges are all zero gets no entry.
    """
    due = [debit for debit in debits if debit.units or any(charge[1] for charge in debit.charges)]
    if not due:
        if meanwhile:
            with connection.cursor() as cursor:
                cursor.execute(meanwhile)
        return {}
    bucket = due[0].wallet.bucket
    wallet_ids = [debit.wallet.id for debit in due]
    lots, entering = drawable_lots(wallet_ids, bucket=bucket, at=at)
    if entering:
        activate_due({debit.wallet.id: debit.wallet for debit in due if debit.wallet.id in entering}, bucket=bucket, at=at)
        lots, _ = drawable_lots(wallet_ids, bucket=bucket, at=at)
    entries: list[NewEntry] = []
    accounts = _Accounts()
    remainders: dict[int, Decimal] = {}
    for debit in due:
        draws = cover(lots[debit.wallet.id], debit.demand or demand_of(debit.charges)) if debit.charges else []
        entries.append(
            NewEntry(debit.wallet, Kind.USAGE, _postings(debit, draws, accounts), debit.reference, id=debit.entry_id)
        )
        for draw in draws:
            if draw.lot is not None:
                remainders[draw.lot.id] = remainders.get(draw.lot.id, draw.lot.remaining) - draw.amount
        remainders.update((draw.lot.id, draw.lot.remaining) for draw in debit.units)
    post_entries(entries, at=at, meanwhile=meanwhile)
    store_remainders(remainders.items(), bucket=bucket)
    return {entry.wallet.id: entry.id for entry in entries}


class _Accounts:
    """The accounts of the chart that a batch touches, by plain names: looked up once, not once a posting."""

    def __init__(self) -> None:
        self._revenue: dict[tuple[str, str], ChartAccount] = {}
        self._wallet_side: dict[tuple[str, str | None], ChartAccount] = {}

    def revenue(self, currency: str, meter: str) -> ChartAccount:
        """Where consumption of a meter stands."""
        known = self._revenue.get((currency, meter))
        if known is None:
            known = self._revenue[currency, meter] = chart_account(Account.REVENUE, currency, meter)
        return known

    def wallet_side(self, currency: str, lot_kind: str | None) -> ChartAccount:
        """Where a draw stands: the liability of the lot's kind; None: what the customer owes."""
        known = self._wallet_side.get((currency, lot_kind))
        if known is None:
            kind = Account.OVERDRAFT_RECEIVABLE if lot_kind is None else liability_kind(lot_kind)
            known = self._wallet_side[currency, lot_kind] = chart_account(kind, currency)
        return known


def _postings(debit: WalletDebit, draws: Sequence[Draw], accounts: _Accounts) -> list[NewPosting]:
    """A line of draws for each meter, and its revenue."""
    currency = debit.wallet.currency
    revenue: dict[str, Decimal] = {}
    postings: list[NewPosting] = []
    for meter, lot, line_from, amount in draws:
        contra = accounts.revenue(currency, meter)
        if lot is None:
            postings.append(NewPosting(accounts.wallet_side(currency, None), -amount, None, contra, line_from))
        else:
            postings.append(NewPosting(accounts.wallet_side(currency, lot.kind), -amount, lot.id, contra, line_from))
        revenue[meter] = revenue[meter] + amount if meter in revenue else amount
    postings.extend(NewPosting(accounts.revenue(currency, meter), amount) for meter, amount in revenue.items())
    if debit.units:
        postings.extend(_unit_postings(debit.units))
    return postings


def _unit_postings(draws: Sequence[UnitDraw]) -> list[NewPosting]:
    """A line of draws for each meter whose allowances were used, and what was used of them."""
    used: dict[str, Decimal] = {}
    postings: list[NewPosting] = []
    for meter, lot, line_from, quantity in draws:
        contra = chart_account(Account.ALLOWANCE_USED, UNITS, meter)
        postings.append(NewPosting(chart_account(Account.ALLOWANCE, UNITS, meter), -quantity, lot.id, contra, line_from))
        used[meter] = used.get(meter, ZERO) + quantity
    postings.extend(NewPosting(chart_account(Account.ALLOWANCE_USED, UNITS, meter), total) for meter, total in used.items())
    return postings
