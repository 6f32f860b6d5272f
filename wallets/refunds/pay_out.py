"""Pay a withdrawal out: in one transaction its hold ends and its credit is taken as refunds, the oldest payment first; then
each is sent, and what the providers say settles it (`settle.py`)."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.balances.lock import lock_wallets
from wallets.balances.models import Wallet
from wallets.errors import Refusal
from wallets.holds.models import Hold
from wallets.holds.place import release_hold
from wallets.money import ZERO
from wallets.refunds.models import Refund, Withdrawal
from wallets.refunds.move import move
from wallets.refunds.refund import new_refund, take_credit
from wallets.refunds.send import send_refund
from wallets.refunds.standing import gone_of, split_credit
from wallets.refunds.states import APPROVED, CREATED, FAILED, PAYING
from wallets.refunds.withdraw import WithdrawalEnded, end_withdrawal, lock_withdrawal
from wallets.refunds.withdrawable import unused_of, withdrawable

log = logging.getLogger(__name__)

REASON: Final = "Withdrawal by the customer"
NOT_THERE: Final = "The wallet is frozen or closed, or less of its paid credit is unused than was asked for."


def pay_out_withdrawal(*, withdrawal: Withdrawal, at: datetime) -> Withdrawal:
    """Pay an approved withdrawal whose time has come; one that cannot be paid any more FAILED and its credit is free.

    Cannot be called inside a transaction. Raises WithdrawalEnded (not approved, too early, paid before), LockBusy.
    """
    with transaction.atomic(durable=True):
        locked, wallet = lock_withdrawal(withdrawal.pk)
        if locked.state != APPROVED or locked.payable_at is None or at < locked.payable_at:
            raise WithdrawalEnded(f"Withdrawal {locked.public_id} is {locked.state.lower()}, payable at {locked.payable_at}.")
        assert locked.hold is not None, locked.public_id
        released = release_hold(hold_public_id=locked.hold.public_id, at=at)
        wallet = lock_wallets([wallet.id], bucket=wallet.bucket)[wallet.id]
        lasted = released.state == Hold.State.RELEASED
        if not lasted or wallet.status != Wallet.Status.ACTIVE or locked.amount > withdrawable(wallet, at=at):
            end_withdrawal(locked, FAILED, at=at, failure=NOT_THERE)
            return locked
        left = locked.amount
        for number, (top_up, unused) in enumerate(unused_of(wallet)):
            part = min(left, unused)
            left -= part
            parts = split_credit(top_up, gone_of(top_up, waiting=True), part)
            refund = new_refund(
                top_up, parts, at=at, origin=Refund.Origin.WITHDRAWAL, reason=REASON, actor=locked.asked_by.email,
                request_key=f"{locked.public_id}:{number}",
            )  # fmt: skip
            take_credit(wallet, top_up, refund, parts, at=at, withdrawal=locked)
            if left == ZERO:
                break
        assert left == ZERO, (locked.public_id, left)
        move(locked, PAYING, at=at, hold=None)
    for refund in Refund.objects.filter(bucket=locked.bucket, withdrawal_id=locked.pk, state=CREATED).order_by("id"):
        send_refund(refund=refund, at=at)
    return Withdrawal.objects.select_related("wallet__account").get(pk=locked.pk)


def pay_out_due(*, at: datetime) -> int:
    """Pay every approved withdrawal whose time has come; how many."""
    due = Withdrawal.objects.filter(state=APPROVED, payable_at__lte=at).order_by("payable_at", "id")
    paid = 0
    for withdrawal in due:
        try:
            paid += pay_out_withdrawal(withdrawal=withdrawal, at=at).state != APPROVED
        except Refusal as refusal:
            log.warning("withdrawal %s not paid: %s", withdrawal.public_id, refusal.message)
    return paid
