"""What a refund would do, in numbers, before anybody says yes. It takes the wallet's lock for a moment and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.accounts.models import User
from wallets.approvals.limits import needs_second_today
from wallets.balances.lock import lock_wallets
from wallets.money import ZERO
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.states import PAID
from wallets.refunds.refund import APPROVAL
from wallets.refunds.shares import Parts
from wallets.refunds.standing import Refundable, gone_of, refundable, sources_of, split_credit


@dataclass(frozen=True, slots=True)
class Preview:
    """Figures in the top-up's currency. balance, unused, tax_left: before. The rest: what would change."""

    balance: Decimal
    unused: Decimal
    tax_left: Decimal
    credit: Decimal
    tax: Decimal
    fee: Decimal
    bonus: Decimal
    owed: Decimal
    money: Decimal
    needs_approval: bool


def refundable_now(*, top_up: TopUp, at: datetime) -> Refundable:
    """What of a top-up can go back now. Raises LockBusy."""
    with transaction.atomic():
        locked = lock_top_up(top_up.pk)
        if locked.state not in PAID:
            return Refundable(ZERO, ZERO)
        wallet = lock_wallets([locked.wallet_id], bucket=locked.bucket)[locked.wallet_id]
        return refundable(wallet, locked, at=at)


def preview_refund(*, top_up: TopUp, credit: Decimal, by: User, overrides: bool, at: datetime) -> Preview:
    """What refunding `credit` would do; zeros where it would be refused, which the verb says. Raises LockBusy."""
    with transaction.atomic():
        locked = lock_top_up(top_up.pk)
        wallet = lock_wallets([locked.wallet_id], bucket=locked.bucket)[locked.wallet_id]
        gone = gone_of(locked, waiting=True)
        can = refundable(wallet, locked, at=at) if locked.state in PAID else Refundable(ZERO, ZERO)
        fits = ZERO < credit <= (can.at_most if overrides else can.unused)
        parts = split_credit(locked, gone, credit) if fits else Parts(ZERO, ZERO, ZERO)
        sources = sources_of(locked, parts)
        second = fits and needs_second_today(user=by, amount=parts.money, currency=locked.currency, kind=APPROVAL, at=at)
        return Preview(
            balance=wallet.balance,
            unused=can.unused,
            tax_left=locked.tax - gone.tax,
            credit=parts.credit,
            tax=parts.tax,
            fee=parts.fee,
            bonus=sources.bonus,
            owed=sources.owed,
            money=parts.money,
            needs_approval=overrides or second,
        )
