"""Prepare the next period: shortly before it starts, what it includes is granted as lots that wait for its first instant, so
that the first event of a period finds its units however late the sweep comes that begins the period. The fee is charged, and
what is left over rolls over, when the period begins; if it does not begin, what was prepared is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from pricing.plans.begin import grant_units, next_period
from pricing.plans.models import Plan, PlanAllowance, PreparedAllowance, Subscription
from pricing.plans.queries import locked_subscription
from pricing.plans.states import ACTIVE, TRIALING
from wallets.balances.lock import LockBusy

AHEAD: Final = timedelta(minutes=10)


def prepare_due(*, at: datetime) -> int:
    """Prepare every period that starts within AHEAD; returns how many. Safe to repeat, to miss, and to run beside itself.

    Raises LockBusy at the end when wallets stayed locked; the others are done.
    """
    prepared = 0
    busy: LockBusy | None = None
    soon = Subscription.objects.filter(
        next_due_at__gt=at,
        next_due_at__lte=at + AHEAD,
        state__in=[ACTIVE, TRIALING],
        prepared=False,
        cancel_at_period_end=False,
    )
    for subscription in list(soon.order_by("next_due_at", "id")):
        try:
            prepared += _prepare(subscription, at=at)
        except LockBusy as error:
            busy = error
    if busy is not None:
        raise busy
    return prepared


def _prepare(seen: Subscription, *, at: datetime) -> bool:
    with transaction.atomic():
        subscription = locked_subscription(seen)
        plan = subscription.next_plan or subscription.plan
        unchanged = subscription.period_index == seen.period_index and subscription.state in {ACTIVE, TRIALING}
        if not unchanged or subscription.prepared or subscription.cancel_at_period_end or at >= subscription.period_end:
            return False
        if subscription.pay_by == Subscription.PayBy.WALLET and subscription.wallet.available < plan.fee:
            return False  # it will not begin unless credit comes in time
        period, index = next_period(subscription, plan), subscription.period_index + 1
        for allowance in _included(plan):
            lot = grant_units(subscription, allowance, period=period, quantity=allowance.quantity, at=at)
            PreparedAllowance.objects.create(subscription=subscription, index=index, meter=allowance.meter, lot=lot)
        subscription.prepared = True
        subscription.save(update_fields=["prepared"])
    return True


def _included(plan: Plan) -> list[PlanAllowance]:
    return list(PlanAllowance.objects.filter(plan=plan).select_related("meter").order_by("id"))
