"""Charge what was committed to: each period's fee, and the lot it buys. A sweep: safe to repeat, to miss, and to run beside
itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from pricing.commitments.cover import face_value
from pricing.commitments.models import Commitment, CommitmentPeriod
from pricing.periods import Period, period_at
from wallets.balances.lock import LockBusy, lock_wallet
from wallets.balances.open import WalletClosed
from wallets.credit.fee import charge_fee
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.money import plain, to_scale

# So long before it starts a period is charged and its lot scheduled, so that the first event of the period finds it.
AHEAD: Final = timedelta(minutes=10)
# Drawn before the customer's other credit: it ends with its period.
PRIORITY: Final = 10


def charge_commitments(*, at: datetime) -> int:
    """Charge every period that has started, or is about to; returns how many. Raises LockBusy at the end when wallets stayed
    locked; the others are done."""
    charged = 0
    busy: LockBusy | None = None
    due = Commitment.objects.filter(next_due_at__lte=at).order_by("next_due_at", "id")
    for commitment_id in list(due.values_list("id", flat=True)):
        try:
            charged += charge_commitment(commitment_id, at=at)
        except LockBusy as error:
            busy = error
        except WalletClosed:
            _end(commitment_id)
    if busy is not None:
        raise busy
    return charged


def charge_commitment(commitment_id: int, *, at: datetime) -> int:
    """Charge what is due of one commitment; returns how many periods. What the wallet's credit does not cover is owed: a
    commitment is paid, used or not.

    A period that had passed before it could be charged (nothing ran) is not: its usage was charged at list prices. Raises
    WalletClosed, LockBusy.
    """
    charged = 0
    while True:
        with transaction.atomic():
            lock_wallet(Commitment.objects.values_list("wallet_id", flat=True).get(pk=commitment_id))
            commitment = Commitment.objects.select_related("wallet").get(pk=commitment_id)
            if commitment.next_due_at is None or commitment.next_due_at > at:
                return charged
            charged += _charge_next(commitment, at=at)


def _charge_next(commitment: Commitment, *, at: datetime) -> bool:
    """One period; whether it was charged."""
    index = commitment.begun
    period = _period(commitment, index)
    missed = period.end <= at
    lot = entry_id = None
    if not missed:
        entry_id = charge_fee(
            wallet_id=commitment.wallet_id,
            amount=commitment.amount,
            code=commitment.fee_code,
            at=at,
            reference=commitment.public_id,
            reason=f"{commitment.name}, {period.start:%d %b %Y %H:%M} UTC",
            allow_overdraft=True,
        )
        lot = _grant(commitment, period, at=at)
    CommitmentPeriod.objects.create(
        commitment=commitment, index=index, starts_at=period.start, ends_at=period.end, entry_id=entry_id, lot=lot
    )
    commitment.begun = index + 1
    last = commitment.begun == commitment.periods
    commitment.next_due_at = None if last else period.end - AHEAD
    commitment.save(update_fields=["begun", "next_due_at"])
    return not missed


def _period(commitment: Commitment, index: int) -> Period:
    return period_at(commitment.starts_at, interval=commitment.interval, zone=commitment.time_zone, number=index)


def _grant(commitment: Commitment, period: Period, *, at: datetime) -> CreditLot:
    discount = plain(to_scale(commitment.discount_percent))
    return grant_credit(
        wallet_id=commitment.wallet_id,
        amount=face_value(commitment.amount, discount_percent=commitment.discount_percent),
        kind=CreditLot.Kind.PLAN,
        at=at,
        priority=PRIORITY,
        effective_at=period.start,
        expires_at=period.end,
        meters=commitment.meters,
        reason=f"{commitment.name}: {discount} % off list prices",
        source=commitment.public_id,
    )


def _end(commitment_id: int) -> None:
    """There is no wallet to charge any more."""
    commitment = Commitment.objects.get(pk=commitment_id)
    commitment.begun, commitment.next_due_at = commitment.periods, None
    commitment.save(update_fields=["begun", "next_due_at"])
