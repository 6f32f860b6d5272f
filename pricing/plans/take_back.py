"""Take back what a period has left: of its fee, by elapsed time; of its allowances, by lot. The caller holds the wallet's
lock."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pricing.periods import Period, share
from pricing.plans.models import PeriodAllowance, PeriodFee, Subscription, SubscriptionPeriod
from wallets.credit.fee import give_fee_back
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.money import ZERO

OPEN_STATES = (CreditLot.State.OPEN, CreditLot.State.SCHEDULED)


def present_period(subscription: Subscription) -> SubscriptionPeriod:
    """The row of the period the subscription is in."""
    return SubscriptionPeriod.objects.get(subscription=subscription, index=subscription.period_index)


def whole(subscription: Subscription) -> Period:
    """The present period."""
    return Period(subscription.period_start, subscription.period_end)


def refund_unused_fee(subscription: Subscription, *, at: datetime, reason: str) -> Decimal:
    """Give back the share of the present period's fee that belongs to the time after `at`, to the lots it was drawn from;
    returns how much. What is kept and what is given back add up to the fee exactly."""
    fee = (
        PeriodFee.objects.filter(period__subscription=subscription, period__index=subscription.period_index)
        .order_by("id")
        .last()
    )
    if fee is None or fee.entry_id is None or at >= subscription.period_end:
        return ZERO
    rest = share(fee.plan.fee, of=whole(subscription), part=Period(max(at, fee.since), subscription.period_end))
    amount = min(rest, fee.amount) - fee.refunded
    if amount <= ZERO:
        return ZERO
    give_fee_back(
        wallet_id=subscription.wallet_id,
        entry_id=fee.entry_id,
        code=fee.plan.fee_code,
        line_from=fee.amount - fee.refunded - amount,
        amount=amount,
        at=at,
        reference=subscription.public_id,
        reason=reason,
    )
    fee.refunded += amount
    fee.save(update_fields=["refunded"])
    return amount


def take_back_allowances(
    subscription: Subscription, *, at: datetime, reason: str, meter_id: int | None = None, at_most: Decimal | None = None
) -> Decimal:
    """Void lots of the present period, newest first, until `at_most` units are taken back (None: all, rolled over ones too).

    A lot is voided as a whole: returns how much too much that was, to be granted again.
    """
    rows = PeriodAllowance.objects.filter(period__subscription=subscription, period__index=subscription.period_index)
    rows = rows.filter(lot__state__in=OPEN_STATES).select_related("lot").order_by("-origin", "-id")
    if meter_id is not None:
        rows = rows.filter(meter_id=meter_id, rolled_from__isnull=True)
    taken = ZERO
    for row in rows:
        if at_most is not None and taken >= at_most:
            break
        assert row.lot is not None, "filtered above"
        taken += row.lot.remaining
        void_lot(lot_public_id=row.lot.public_id, at=at, reason=reason)
        if at_most is not None and taken > at_most:
            return taken - at_most
    return ZERO


def take_back_trial(subscription: Subscription, *, at: datetime, reason: str) -> None:
    """Void what is left of the trial's credit."""
    lot = present_period(subscription).trial_lot
    if lot is not None and lot.state in OPEN_STATES:
        void_lot(lot_public_id=lot.public_id, at=at, reason=reason)
