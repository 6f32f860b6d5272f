"""Charge a fee that is no usage (a subscription's, a commitment's) to a wallet's credit, and give part of one back.

    fee           Dr the lots' liability, in burn-down order    Cr fees : code
    given back    Dr fees : code                                Cr the lots' liability, newest draw first

A fee draws credit without a scope, and credit whose scope names the fee itself (money taken for just this fee).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.activate import activate_due
from wallets.credit.backing import can_leave
from wallets.credit.burn_down import Draw, Lot, burn_down
from wallets.credit.give_back import Part, give_back
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.errors import Refusal
from wallets.input import Input
from wallets.ledger.chart import chart_account, liability_kind
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO, plain, to_scale

Account = LedgerAccount.Kind
LONGEST_CODE: Final = 120


class CreditExhausted(Refusal):
    """The wallet has less credit for this than it costs."""

    code = "credit_exhausted"


def charge_fee(
    *,
    wallet_id: int,
    amount: Decimal,
    code: str,
    at: datetime,
    reference: str,
    reason: str,
    actor: str = "",
    allow_overdraft: bool = False,
) -> int:
    """Debit `amount` (above zero, in the wallet's currency) as a fee; returns the row id of the journal entry.

    code: what the fee is for, `subscription:<plan>`.  reference: the id of what is paid.  allow_overdraft: what credit does
    not cover is owed. Otherwise raises CreditExhausted, naming what is available: credit for some meters only, credit that
    is not valid now and held credit pay no fee. Raises InvalidInput, WalletClosed, NotFound, LockBusy.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    code = check.text("code", code, longest=LONGEST_CODE, required=True)
    reference = check.text("reference", reference, longest=300)
    reason = check.text("reason", reason, longest=500)
    actor = check.text("actor", actor, longest=200)
    check.refuse("The fee cannot be charged like this.")
    with transaction.atomic():
        wallet = lock_wallet(wallet_id)
        if wallet.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
        lapse_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
        lots = _lots(wallet, at=at)
        if not allow_overdraft:
            _refuse_more_than_there_is(wallet, lots, amount, code, at)
        draws = burn_down(lots, [(code, amount, at)])
        entry = NewEntry(wallet, JournalEntry.Kind.FEE, _postings(wallet, code, draws), reference, reason, actor)
        post_entries([entry], at=at)
        store_remainders(
            [(draw.lot.id, draw.lot.remaining - draw.amount) for draw in draws if draw.lot is not None], bucket=wallet.bucket
        )
    return entry.id


def give_fee_back(
    *, wallet_id: int, entry_id: int, code: str, line_from: Decimal, amount: Decimal, at: datetime, reference: str, reason: str
) -> int:
    """Give back `amount` (above zero) of a fee, from `line_from` of it on, to the lots it was drawn from, newest draw first;
    returns the row id of the journal entry.

    The caller sees to it that no part is given back twice. Raises NotDrawn, WalletClosed, NotFound, LockBusy.
    """
    with transaction.atomic():
        wallet = lock_wallet(wallet_id)
        part = Part(entry_id, code, line_from, amount, fee=True)
        return give_back(wallet=wallet, parts=[part], at=at, reference=reference, reason=reason).entry_id


def _lots(wallet: LockedWallet, *, at: datetime) -> list[Lot]:
    """The wallet's open lots of money; those whose time has come enter first."""
    lots, entering = drawable_lots([wallet.id], bucket=wallet.bucket, at=at)
    if entering:
        activate_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
        lots, _ = drawable_lots([wallet.id], bucket=wallet.bucket, at=at)
    return lots[wallet.id]


def _refuse_more_than_there_is(wallet: LockedWallet, lots: list[Lot], amount: Decimal, code: str, at: datetime) -> None:
    credit = sum((lot.remaining for lot in lots if lot.covers(code, at)), ZERO)
    most = max(min(can_leave(wallet, lots), credit), ZERO)
    if amount > most:
        needed, available = plain(to_scale(amount)), plain(to_scale(most))
        raise CreditExhausted(
            f"Wallet {wallet.public_id} has {available} {wallet.currency} for this, which costs {needed}.",
            extra={"needed": needed, "available": available, "wallet": wallet.public_id},
        )


def _postings(wallet: LockedWallet, code: str, draws: list[Draw]) -> list[NewPosting]:
    fees = chart_account(Account.FEES, wallet.currency, code)
    postings = []
    for _, lot, line_from, amount in draws:
        kind = Account.OVERDRAFT_RECEIVABLE if lot is None else liability_kind(lot.kind)
        account = chart_account(kind, wallet.currency)
        postings.append(NewPosting(account, -amount, None if lot is None else lot.id, fees, line_from))
    return [*postings, NewPosting(fees, sum((draw.amount for draw in draws), ZERO))]
