"""Grant credit or an allowance: a new lot, and the journal entry by which it enters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.allowances import remember_allowance
from wallets.credit.enter import OnTop, postings_of_grant, postings_of_repayment, postings_on_top, repayment, state_of
from wallets.credit.models import CreditLot
from wallets.input import Input
from wallets.ledger.models import JournalEntry
from wallets.ledger.post import NewEntry, post_entries
from wallets.money import LARGEST, ZERO

MOST_PRIORITY: Final = 32_767
REFUSED: Final = "The credit cannot be granted like this."
Kind = CreditLot.Kind


def grant_credit(  # noqa: PLR0913 - the terms of a lot
    *,
    wallet_id: int,
    amount: Decimal,
    kind: str,
    at: datetime,
    price_paid: Decimal | None = None,
    priority: int = 50,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    meters: Sequence[str] = (),
    reason: str = "",
    source: str = "manual",
    actor: str = "",
    on_top: OnTop | None = None,
) -> CreditLot:
    """Grant `amount` (in the wallet's currency, at most 12 decimals) as a lot of its own; what the wallet owes is repaid
    from it first, in the same entry, when the lot is valid now and has no scope (`enter.may_repay`).

    kind: of `CreditLot.Kind`.  price_paid: money received for paid credit, in the same currency (None: the amount); zero
    for the other kinds.  priority: lower is drawn first.  effective_at: None is `at`; a lot for the future is SCHEDULED,
    stands in no balance and in no entry, and enters when its time comes.  expires_at: exclusive.  meters: codes it can be
    used for; empty: all.  source: the provider the money comes through, or where the credit came from.  on_top: tax and fee
    that came with the money and are booked in the same entry; only for credit that is effective at once.

    Raises InvalidInput naming each wrong field, WalletClosed, NotFound, LockBusy. A frozen wallet may be credited.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    check.choice("kind", kind, list(Kind))
    paid = (amount if kind == Kind.PAID else ZERO) if price_paid is None else price_paid
    if price_paid is not None:
        check.amount("price_paid", price_paid)
        fits = "price_paid" in check.wrong or kind == Kind.PAID or paid == ZERO
        check.expect("price_paid", fits, "zero, unless kind is paid")
    codes = check.names("meters", meters)
    lot = _checked_lot(
        check, at=at, priority=priority, effective_at=effective_at, expires_at=expires_at, reason=reason, source=source
    )
    actor = check.text("actor", actor, longest=200)
    check.refuse(REFUSED)
    lot.kind, lot.amount, lot.price_paid, lot.meters = kind, amount, paid, codes
    with transaction.atomic():
        wallet = _open_wallet(wallet_id)
        most = LARGEST - wallet.balance
        check.expect("amount", amount <= most, f"at most {most:f}, or the wallet overflows")
        check.refuse(REFUSED)
        assert on_top is None or lot.effective_at <= at, lot.public_id
        _enter(lot, wallet, at=at, actor=actor, on_top=on_top)
    return lot


def grant_allowance(  # noqa: PLR0913 - the terms of a lot
    *,
    wallet_id: int,
    meter: str,
    quantity: Decimal,
    at: datetime,
    kind: str = Kind.PLAN,
    priority: int = 50,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    reason: str = "",
    source: str = "plan",
    actor: str = "",
) -> CreditLot:
    """Grant `quantity` units of `meter` (its code) as a lot of its own. Usage of the meter takes from it before it is priced.

    The terms are those of `grant_credit`; what pays for an allowance is a fee, so kind is never paid, and no money moves.
    Raises InvalidInput naming each wrong field, WalletClosed, NotFound, LockBusy.
    """
    check = Input()
    meter = check.text("meter", meter, longest=120, required=True)
    check.amount("quantity", quantity, above_zero=True)
    check.choice("kind", kind, [one for one in Kind if one != Kind.PAID])
    lot = _checked_lot(
        check, at=at, priority=priority, effective_at=effective_at, expires_at=expires_at, reason=reason, source=source
    )
    actor = check.text("actor", actor, longest=200)
    check.refuse("The allowance cannot be granted like this.")
    lot.kind, lot.unit_meter, lot.amount, lot.meters = kind, meter, quantity, [meter]
    with transaction.atomic():
        wallet = _open_wallet(wallet_id)
        remember_allowance(wallet, meter)
        _enter(lot, wallet, at=at, actor=actor)
    return lot


def _checked_lot(
    check: Input,
    *,
    at: datetime,
    priority: int,
    effective_at: datetime | None,
    expires_at: datetime | None,
    reason: str,
    source: str,
) -> CreditLot:
    """A lot with the terms that money and allowances share; what is wrong with them is noted."""
    check.whole("priority", priority, least=0, most=MOST_PRIORITY)
    since = at if effective_at is None else check.moment("effective_at", effective_at)
    if expires_at is not None and "effective_at" not in check.wrong:
        check.moment("expires_at", expires_at)
        check.expect("expires_at", "expires_at" in check.wrong or expires_at > since, "after effective_at")
        check.expect("expires_at", "expires_at" in check.wrong or expires_at > at, "in the future")
    return CreditLot(
        state=CreditLot.State.SCHEDULED,
        remaining=ZERO,
        priority=priority,
        effective_at=since,
        expires_at=expires_at,
        reason=check.text("reason", reason, longest=500),
        source=check.text("source", source, longest=120, required=True),
        created_at=at,
    )


def _open_wallet(wallet_id: int) -> LockedWallet:
    wallet = lock_wallet(wallet_id)
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    return wallet


def _enter(lot: CreditLot, wallet: LockedWallet, *, at: datetime, actor: str, on_top: OnTop | None = None) -> None:
    """Insert a lot, and let it enter the balance unless its time is still to come."""
    lot.bucket, lot.wallet_id = wallet.bucket, wallet.id
    if lot.effective_at > at:
        lot.save(force_insert=True)
        return
    lot.remaining = lot.amount
    repaid = repayment(lot, owed=wallet.overdraft, at=at)
    lot.remaining -= repaid
    lot.state = state_of(lot)
    lot.save(force_insert=True)
    postings = postings_of_grant(lot, currency=wallet.currency)
    if repaid:
        postings += postings_of_repayment(lot_id=lot.pk, lot_kind=lot.kind, amount=repaid, currency=wallet.currency)
    if on_top is not None:
        postings += postings_on_top(on_top, source=lot.source, currency=wallet.currency)
    entry = NewEntry(wallet, JournalEntry.Kind.GRANT, postings, lot.public_id, lot.reason, actor)
    post_entries([entry], at=at)
