"""Settle a top-up: the only way a payment becomes credit. Whoever learns how a payment stands (the page that waited, the
return from the bank, a webhook, the reconciliation) hands it in here, in any order and as often as they like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.balances.models import Wallet
from wallets.credit.enter import OnTop
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.outbox.topics import TopUpFailed, TopUpSucceeded
from wallets.outbox.write import add_news
from wallets.payments.declines import explain_decline
from wallets.payments.event_models import PaymentException
from wallets.payments.exceptions import open_exception
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.move import move_top_up
from wallets.payments.providers.contract import Outcome, ProviderPayment
from wallets.payments.receipt import issue_receipt
from wallets.payments.states import EXPIRED, FAILED, IN_FLIGHT, PAID, PROCESSING, REQUIRES_ACTION, SUCCEEDED
from wallets.risk.review import hold_if_reviewed
from wallets.risk.screen import note_outcome

_ON_ITS_WAY: Final[Mapping[Outcome, str]] = {
    Outcome.NEEDS_ACTION: REQUIRES_ACTION,
    Outcome.PROCESSING: PROCESSING,
    Outcome.WAITING: PROCESSING,
}
BONUS: Final = "bonus"


def settle_top_up(*, top_up_id: int, payment: ProviderPayment, at: datetime) -> TopUp:
    """Bring a top-up (row id) to where its payment stands, granting its credit when the money has arrived; once.

    A payment of another amount or currency than was agreed grants nothing and opens an exception. Raises LockBusy.
    """
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        assert top_up.payment_id in (None, payment.id), (top_up.public_id, top_up.payment_id, payment.id)
        if payment.outcome is Outcome.SUCCEEDED:
            _pay(top_up, payment, at=at)
        elif payment.outcome in (Outcome.DECLINED, Outcome.CANCELLED):
            code = payment.failure_code if payment.outcome is Outcome.DECLINED else "cancelled"
            _fail(top_up, FAILED if payment.outcome is Outcome.DECLINED else EXPIRED, code, payment_id=payment.id, at=at)
        elif top_up.state in IN_FLIGHT:
            move_top_up(top_up, _ON_ITS_WAY[payment.outcome], at=at, payment_id=payment.id)
    if top_up.state == SUCCEEDED:
        issue_receipt(top_up=top_up, at=at)
    return top_up


def pay_top_up(*, top_up_id: int, at: datetime) -> TopUp:
    """Credit a top-up whose money finance has seen on our own account. Raises LockBusy, WalletClosed."""
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        _credit(top_up, at=at)
        issue_receipt(top_up=top_up, at=at)
    return top_up


def fail_top_up(*, top_up_id: int, code: str, at: datetime) -> TopUp:
    """Give up a top-up for which the provider did not take the payment at all. Raises LockBusy."""
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        _fail(top_up, FAILED, code, payment_id=top_up.payment_id, at=at)
    return top_up


def expire_top_up(*, top_up_id: int, at: datetime) -> TopUp:
    """Give up a top-up for which no payment was ever made. Raises LockBusy."""
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        if top_up.payment_id is None:
            _fail(top_up, EXPIRED, "cancelled", payment_id=None, at=at)
    return top_up


def _pay(top_up: TopUp, payment: ProviderPayment, *, at: datetime) -> None:
    if top_up.state in PAID:
        return
    if payment.amount != top_up.total or payment.currency != top_up.currency:
        open_exception(
            kind=PaymentException.Kind.AMOUNT_DIFFERS,
            provider=top_up.provider,
            reference=payment.id,
            top_up=top_up,
            currency=payment.currency,
            expected=top_up.total,
            found=payment.amount,
            detail="The payment is of another amount than was agreed; no credit was granted.",
            at=at,
        )
        return
    if top_up.wallet.status == Wallet.Status.CLOSED:
        open_exception(
            kind=PaymentException.Kind.MISSING_CREDIT,
            provider=top_up.provider,
            reference=payment.id,
            top_up=top_up,
            currency=payment.currency,
            expected=top_up.total,
            found=payment.amount,
            detail="The wallet was closed before the money arrived; give the money back.",
            at=at,
        )
        return
    _credit(top_up, at=at, payment_id=payment.id)


def _credit(top_up: TopUp, *, at: datetime, payment_id: str | None = None) -> None:
    """Grant the credit of a top-up whose money has arrived, unless it has it."""
    if top_up.state in PAID:
        return
    what = f"Top-up by {top_up.method.label}" if top_up.method else f"Top-up by {top_up.get_means_display().lower()}"
    lot = grant_credit(
        wallet_id=top_up.wallet_id,
        amount=top_up.amount,
        kind=CreditLot.Kind.PAID,
        at=at,
        reason=what,
        source=top_up.provider,
        actor=top_up.actor,
        on_top=OnTop(tax=top_up.tax, tax_country=top_up.tax_country, fee=top_up.fee),
    )
    bonus_lot = None
    if top_up.bonus:
        bonus_lot = grant_credit(
            wallet_id=top_up.wallet_id,
            amount=top_up.bonus,
            kind=CreditLot.Kind.PROMOTIONAL,
            at=at,
            reason="Bonus on a top-up",
            source=BONUS,
            actor=top_up.actor,
        )
    if top_up.means == TopUp.Means.CARD:
        note_outcome(top_up=top_up.public_id, paid=True)
        hold_if_reviewed(
            wallet_id=top_up.wallet_id,
            account_id=top_up.wallet.account_id,
            top_up=top_up.public_id,
            amount=top_up.amount + top_up.bonus,
            at=at,
        )
    changes = {"payment_id": payment_id} if payment_id else {}
    move_top_up(top_up, SUCCEEDED, at=at, lot=lot, bonus_lot=bonus_lot, settled_at=at, failure_code="", failure="", **changes)
    told = TopUpSucceeded(
        wallet_id=top_up.wallet_id,
        top_up=top_up.public_id,
        amount=f"{top_up.amount:f}",
        total=f"{top_up.total:f}",
        currency=top_up.currency,
        origin=top_up.origin,
    )
    add_news([(f"wallet:{top_up.wallet_id}", told)], at=at, bucket=top_up.bucket)


def _fail(top_up: TopUp, state: str, code: str, *, payment_id: str | None, at: datetime) -> None:
    """End a top-up that is in flight without credit."""
    if top_up.state not in IN_FLIGHT:
        return
    code = code[:60]
    changes = {"payment_id": payment_id} if payment_id else {}
    if state == FAILED:
        note_outcome(top_up=top_up.public_id, paid=False)
    move_top_up(top_up, state, at=at, failure_code=code, failure=explain_decline(code), **changes)
    told = TopUpFailed(
        wallet_id=top_up.wallet_id,
        top_up=top_up.public_id,
        amount=f"{top_up.amount:f}",
        total=f"{top_up.total:f}",
        currency=top_up.currency,
        origin=top_up.origin,
        code=code,
        reason=top_up.failure,
    )
    add_news([(f"wallet:{top_up.wallet_id}", told)], at=at, bucket=top_up.bucket)
