"""Correct what a locked wallet holds by hand. Four corrections, each one entry:

    goodwill      Dr promotional cost            Cr promotional liability         a lot of its own
    raised        Dr adjustments : reason        Cr prepaid liability             credit the customer is owed; a lot of its own
    taken         Dr the lots' liability         Cr adjustments : reason          in burn-down order; given credit comes off its
                                                 (given: Cr promotional cost)     cost instead
    written off   Dr bad debt : reason           Cr overdraft receivable          what the customer owes and will not pay

A write-off passes through a compensation lot that repays the overdraft and is voided at once: if the usage behind it is
taken back later, what comes back returns to bad debt and not to the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from wallets.balances.lock import LockedWallet
from wallets.credit.backing import can_leave, settle_due
from wallets.credit.burn_down import Lot, burn_down
from wallets.credit.enter import WRITE_OFF, postings_of_grant, postings_of_repayment, repayment, state_of
from wallets.credit.fee import CreditExhausted
from wallets.credit.lots import store_remainders
from wallets.credit.models import CreditLot
from wallets.errors import Conflict
from wallets.ledger.chart import ChartAccount, chart_account, liability_kind
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO, plain, to_scale

Account = LedgerAccount.Kind
SOURCE: Final = "adjustment"
GOODWILL: Final = "goodwill"
# No meter is called this, so a correction draws only credit that may be used for anything.
_ANYTHING: Final = " adjustment"


class NothingOwed(Conflict):
    """The wallet owes less than is to be written off."""

    code = "nothing_owed"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is corrected and why. amount: above zero, in the wallet's currency. code: of the reason, the qualifier of the
    account it is booked on. reference: the id of the adjustment. text: the reason in words."""

    amount: Decimal
    code: str
    reference: str
    text: str
    actor: str


def raise_credit(wallet: LockedWallet, correction: Correction, *, at: datetime) -> int:
    """Give a locked wallet credit it is owed, as paid credit for which no money came in; the entry's row id."""
    lot = _lot(wallet, correction, CreditLot.Kind.PAID, source=SOURCE, at=at)
    against = chart_account(Account.ADJUSTMENTS, wallet.currency, correction.code)
    return _enter(wallet, lot, against, correction, at=at)


def give_goodwill(wallet: LockedWallet, correction: Correction, *, at: datetime, expires_at: datetime | None) -> int:
    """Give a locked wallet credit that nobody paid for; the entry's row id. expires_at: exclusive, None: never."""
    lot = _lot(wallet, correction, CreditLot.Kind.COMPENSATION, source=GOODWILL, at=at)
    lot.expires_at = expires_at
    return _enter(wallet, lot, chart_account(Account.PROMOTIONAL_COST, wallet.currency), correction, at=at)


def take_credit(wallet: LockedWallet, correction: Correction, *, at: datetime) -> int:
    """Take credit from a locked wallet, in burn-down order; the entry's row id. Raises CreditExhausted: credit for some meters
    only and what holds depend on stay, and nothing is taken that is not there."""
    lots = settle_due(wallet, at=at)
    _refuse_more_than_there_is(wallet, lots, correction.amount, at)
    currency = wallet.currency
    draws = burn_down(lots, [(_ANYTHING, correction.amount, at)])
    given = chart_account(Account.PROMOTIONAL_COST, currency)
    postings: list[NewPosting] = []
    contras: dict[ChartAccount, Decimal] = {}
    remainders: list[tuple[int, Decimal]] = []
    for draw in draws:
        assert draw.lot is not None, (wallet.id, correction.reference)
        paid = draw.lot.kind == CreditLot.Kind.PAID
        contra = chart_account(Account.ADJUSTMENTS, currency, correction.code) if paid else given
        postings.append(NewPosting(chart_account(liability_kind(draw.lot.kind), currency), -draw.amount, draw.lot.id, contra))
        contras[contra] = contras.get(contra, ZERO) + draw.amount
        remainders.append((draw.lot.id, draw.lot.remaining - draw.amount))
    postings += [NewPosting(contra, amount) for contra, amount in contras.items()]
    entry_id = _post(wallet, JournalEntry.Kind.ADJUSTMENT, postings, correction, at=at)
    store_remainders(remainders, bucket=wallet.bucket)
    return entry_id


def write_off(wallet: LockedWallet, correction: Correction, *, at: datetime) -> int:
    """Write off part of what a locked wallet owes; the entry's row id. Raises NothingOwed."""
    if correction.amount > wallet.overdraft:
        owed = plain(to_scale(wallet.overdraft))
        raise NothingOwed(f"Wallet {wallet.public_id} owes {owed} {wallet.currency}.", fields={"amount": f"at most {owed}"})
    lot = _lot(wallet, correction, CreditLot.Kind.COMPENSATION, source=f"{WRITE_OFF}{correction.code}", at=at)
    lot.remaining, lot.state = ZERO, CreditLot.State.VOIDED
    lot.save(force_insert=True)
    postings = postings_of_grant(lot, currency=wallet.currency)
    postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=correction.amount, currency=wallet.currency)
    return _post(wallet, JournalEntry.Kind.ADJUSTMENT, postings, correction, at=at)


def _enter(wallet: LockedWallet, lot: CreditLot, against: ChartAccount, correction: Correction, *, at: datetime) -> int:
    """Let a lot enter the balance; what the wallet owes is repaid from it first, as from any credit. A grant, so that alerts
    arm again."""
    repaid = repayment(lot, owed=wallet.overdraft, at=at)
    lot.remaining -= repaid
    lot.state = state_of(lot)
    lot.save(force_insert=True)
    liability = NewPosting(chart_account(liability_kind(lot.kind), wallet.currency), lot.amount, lot.pk)
    postings = [NewPosting(against, -lot.amount), liability]
    if repaid:
        postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=repaid, currency=wallet.currency)
    return _post(wallet, JournalEntry.Kind.GRANT, postings, correction, at=at)


def _lot(wallet: LockedWallet, correction: Correction, kind: CreditLot.Kind, *, source: str, at: datetime) -> CreditLot:
    return CreditLot(
        bucket=wallet.bucket,
        wallet_id=wallet.id,
        kind=kind,
        amount=correction.amount,
        remaining=correction.amount,
        effective_at=at,
        reason=correction.text,
        source=source[:120],
        created_at=at,
    )


def _refuse_more_than_there_is(wallet: LockedWallet, lots: list[Lot], amount: Decimal, at: datetime) -> None:
    credit = sum((lot.remaining for lot in lots if lot.covers(_ANYTHING, at)), ZERO)
    most = max(min(can_leave(wallet, lots), credit), ZERO)
    if amount > most:
        needed, available = plain(to_scale(amount)), plain(to_scale(most))
        raise CreditExhausted(
            f"Of wallet {wallet.public_id}, {available} {wallet.currency} can be taken; {needed} was asked for.",
            fields={"amount": f"at most {available}"},
            extra={"needed": needed, "available": available, "wallet": wallet.public_id},
        )


def _post(
    wallet: LockedWallet, kind: JournalEntry.Kind, postings: list[NewPosting], correction: Correction, *, at: datetime
) -> int:
    entry = NewEntry(wallet, kind, postings, correction.reference, correction.text, correction.actor)
    post_entries([entry], at=at)
    return entry.id
