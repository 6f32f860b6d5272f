"""Cancel a subscription: at the end of what is paid for, or now."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.plans.end import end_subscription
from pricing.plans.models import Subscription
from pricing.plans.move import move
from pricing.plans.prepared import drop_prepared
from pricing.plans.queries import locked_subscription
from pricing.plans.states import CANCELLED, PAST_DUE, PAUSED, TRIALING
from pricing.plans.take_back import refund_unused_fee, take_back_allowances, take_back_trial
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import plain


class SubscriptionCancelled(Conflict):
    """The subscription is cancelled; subscribe again."""

    code = "subscription_cancelled"


def cancel_subscription(
    *, subscription: Subscription, at: datetime, now: bool = False, refund: bool = True, reason: str = "", actor: str = ""
) -> Subscription:
    """Cancel at the end of the present period (nothing is taken back, nothing is renewed), or `now`: what is left of its
    allowances is taken back and, with `refund`, the unused part of its fee given back to the credit that paid it.

    One that is past due or paused has nothing to wait for and ends now. Raises SubscriptionCancelled, InvalidInput, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500)
    check.refuse("The subscription cannot be cancelled like this.")
    with transaction.atomic():
        subscription = locked_subscription(subscription)
        if subscription.state == CANCELLED:
            raise SubscriptionCancelled(f"Subscription {subscription.public_id} is cancelled already.")
        if not now and subscription.state not in {PAST_DUE, PAUSED}:
            subscription.cancel_at_period_end, subscription.next_plan = True, None
            drop_prepared(subscription, at=at, reason="Cancelled")
            what = f"Cancelled at {subscription.period_end:%d %b %Y %H:%M} UTC"
            move(subscription, subscription.state, what=what, at=at, reason=reason, actor=actor)
            return subscription
        what = "Cancelled"
        if now and subscription.state == TRIALING:
            take_back_trial(subscription, at=at, reason="Trial cancelled")
        elif now and at < subscription.period_end:
            given_back = refund_unused_fee(subscription, at=at, reason="Cancelled") if refund else None
            take_back_allowances(subscription, at=at, reason="Cancelled")
            if given_back:
                what = f"Cancelled, {plain(given_back)} {subscription.plan.currency} given back"
        end_subscription(subscription, what=what, at=at, reason=reason, actor=actor)
    return subscription
