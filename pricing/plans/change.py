"""Change the plan of a subscription: now, with proration, or at the end of the period.

Now, within the period: of the old plan's fee the share of the time to come is given back, and the new plan's share of it is
charged. The period's units become what each plan includes for its part of the period: the difference is granted, or taken back
as far as it is there. What was used stays used, and what rolled over stays.

Now, to a plan with another interval: the unused part of the fee is given back, what is left of the units is taken back, and a
new period begins now with its whole fee and all its units; periods are counted from now.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from pricing.periods import Period, share
from pricing.plans.begin import add_allowance, begin_period, charge_period_fee, next_period
from pricing.plans.cancel import SubscriptionCancelled
from pricing.plans.card import Collected, FeeNotCollected, collect
from pricing.plans.define import PlanClosed
from pricing.plans.models import Plan, PlanAllowance, Subscription
from pricing.plans.move import move
from pricing.plans.pause import NotPausable
from pricing.plans.price_book import use_book_of
from pricing.plans.queries import locked_subscription
from pricing.plans.states import ACTIVE, CANCELLED, PAST_DUE, TRIALING
from pricing.plans.subscribe import refuse_second
from pricing.plans.take_back import present_period, refund_unused_fee, take_back_allowances, whole
from wallets.input import Input
from wallets.money import ZERO

NOW: Final = "now"
PERIOD_END: Final = "period_end"


def change_plan(
    *, subscription: Subscription, plan: Plan, at: datetime, when: str | None = None, reason: str = "", actor: str = ""
) -> Subscription:
    """Move the subscription to `plan`, which may be another version of its own.

    when: now or period_end; None is now for an upgrade (a higher fee for the same interval) and for one in its trial or past
    due, and period_end otherwise. Raises PlanClosed, SubscriptionCancelled, NotPausable (paused, or about to end),
    CreditExhausted, FeeNotCollected, InvalidInput (another currency, the same plan), LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500)
    if when is not None:
        check.choice("when", when, [NOW, PERIOD_END])
    check.expect("plan", plan.currency == subscription.plan.currency, f"a plan in {subscription.plan.currency}")
    check.expect("plan", plan.pk != subscription.plan_id, "another plan than the present one")
    check.refuse("The plan cannot be changed like this.")
    if plan.closed_at is not None:
        raise PlanClosed(f"{plan.name} version {plan.version} is not sold any more.")
    refuse_second(subscription.account, plan, besides=subscription)
    now = (when or _usual(subscription, plan)) == NOW
    if now and subscription.state == ACTIVE:
        key = f"{subscription.public_id}:{subscription.period_index}:{plan.public_id}"
        if collect(subscription, plan, amount=due_now(subscription, plan, at=at), key=key, at=at) is not Collected.PAID:
            raise FeeNotCollected("The card did not pay the difference; nothing was changed.")
    with transaction.atomic():
        subscription = locked_subscription(subscription)
        if subscription.state == CANCELLED:
            raise SubscriptionCancelled(f"Subscription {subscription.public_id} is cancelled; subscribe again.")
        if subscription.state not in {ACTIVE, TRIALING, PAST_DUE} or subscription.cancel_at_period_end:
            raise NotPausable(f"Subscription {subscription.public_id} is paused or about to end; resume it first.")
        if not now:
            subscription.next_plan = plan
            what = f"Changes to {plan.name} at {subscription.period_end:%d %b %Y %H:%M} UTC"
        else:
            what = _change_now(subscription, plan, at=at, actor=actor)
        move(subscription, subscription.state, what=what, at=at, reason=reason, actor=actor)
    return subscription


def due_now(subscription: Subscription, plan: Plan, *, at: datetime) -> Decimal:
    """What a change now costs: the new plan's share less what is given back. Negative: so much comes back."""
    period = whole(subscription)
    if at >= period.end:
        return plan.fee
    rest = Period(max(at, period.start), period.end)
    unused = share(subscription.plan.fee, of=period, part=rest)
    if plan.interval != subscription.plan.interval:
        return plan.fee - unused
    return share(plan.fee, of=period, part=rest) - unused


def _usual(subscription: Subscription, plan: Plan) -> str:
    upgrade = plan.interval == subscription.plan.interval and plan.fee > subscription.plan.fee
    return NOW if upgrade or subscription.state != ACTIVE else PERIOD_END


def _change_now(subscription: Subscription, plan: Plan, *, at: datetime, actor: str) -> str:
    before = subscription.plan
    if subscription.state == ACTIVE and at < subscription.period_end:
        if plan.interval == before.interval:
            _prorate(subscription, plan, at=at, actor=actor)
        else:
            _start_over(subscription, plan, at=at, actor=actor)
    subscription.plan, subscription.plan_code, subscription.next_plan = plan, plan.code, None
    use_book_of(plan, subscription=subscription, at=at)
    return f"Changed from {before.name} to {plan.name}"


def _prorate(subscription: Subscription, plan: Plan, *, at: datetime, actor: str) -> None:
    """Fee and units of the rest of the period from the old plan to the new one."""
    period = whole(subscription)
    rest = Period(max(at, period.start), period.end)
    row = present_period(subscription)
    refund_unused_fee(subscription, at=at, reason=f"Changed to {plan.name}")
    charge_period_fee(
        subscription, row, plan, amount=share(plan.fee, of=period, part=rest), since=rest.start, at=at, actor=actor
    )
    old = {
        allowance.meter_id: allowance
        for allowance in PlanAllowance.objects.filter(plan=subscription.plan).select_related("meter")
    }
    new = {allowance.meter_id: allowance for allowance in PlanAllowance.objects.filter(plan=plan).select_related("meter")}
    for meter_id in sorted(old.keys() | new.keys()):
        allowance = new.get(meter_id) or old[meter_id]
        included = new[meter_id].quantity if meter_id in new else ZERO
        was_included = old[meter_id].quantity if meter_id in old else ZERO
        difference = share(included, of=period, part=rest) - share(was_included, of=period, part=rest)
        if difference < ZERO:
            difference = take_back_allowances(
                subscription, at=at, reason=f"Changed to {plan.name}", meter_id=meter_id, at_most=-difference
            )
        if difference > ZERO:
            add_allowance(subscription, row, allowance, quantity=difference, at=at, origin=subscription.period_index)


def _start_over(subscription: Subscription, plan: Plan, *, at: datetime, actor: str) -> None:
    """End the present period now and begin one of the new plan."""
    row = present_period(subscription)
    refund_unused_fee(subscription, at=at, reason=f"Changed to {plan.name}")
    take_back_allowances(subscription, at=at, reason=f"Changed to {plan.name}")
    if row.starts_at < at:
        row.ends_at = at
        row.save(update_fields=["ends_at"])
    subscription.anchor_at, subscription.months_begun = at, 0
    begin_period(subscription, plan, period=next_period(subscription, plan), at=at, leftovers={}, actor=actor)
