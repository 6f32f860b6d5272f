"""Pause a subscription and resume it. What is paid for stays until its period ends; nothing is renewed while paused."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.plans.begin import begin_period, leftovers_of, next_period
from pricing.plans.cancel import SubscriptionCancelled
from pricing.plans.card import Collected, FeeNotCollected, collect
from pricing.plans.models import Subscription
from pricing.plans.move import move
from pricing.plans.prepared import drop_prepared
from pricing.plans.queries import locked_subscription
from pricing.plans.states import ACTIVE, CANCELLED, PAUSED
from wallets.balances.lock import lock_wallet
from wallets.errors import Conflict
from wallets.input import Input


class NotPausable(Conflict):
    """Only an active subscription can be paused or changed."""

    code = "subscription_not_active"


class NothingToResume(Conflict):
    """The subscription is neither paused nor about to end."""

    code = "subscription_not_paused"


def pause_subscription(*, subscription: Subscription, at: datetime, reason: str = "", actor: str = "") -> Subscription:
    """Renew nothing until it is resumed; the present period runs to its end. Raises NotPausable, InvalidInput, LockBusy."""
    check = Input()
    reason = check.text("reason", reason, longest=500)
    check.refuse("The subscription cannot be paused like this.")
    with transaction.atomic():
        subscription = locked_subscription(subscription)
        if subscription.state != ACTIVE or subscription.cancel_at_period_end:
            raise NotPausable(f"Subscription {subscription.public_id} is {_said(subscription)}; only an active one is paused.")
        subscription.next_due_at = None
        drop_prepared(subscription, at=at, reason="Paused")
        move(subscription, PAUSED, what="Paused", at=at, reason=reason, actor=actor)
    return subscription


def resume_subscription(*, subscription: Subscription, at: datetime, reason: str = "", actor: str = "") -> Subscription:
    """Go on after a pause, or take a cancellation at period end back. If the period has ended meanwhile, a new one begins now,
    with its fee, and periods are counted from now.

    Raises NothingToResume, SubscriptionCancelled, CreditExhausted, FeeNotCollected, NoCardPayments, InvalidInput, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500)
    check.refuse("The subscription cannot be resumed like this.")
    if subscription.state == PAUSED and at >= subscription.period_end:
        key = f"{subscription.public_id}:{subscription.period_index + 1}:{subscription.attempts}"
        if collect(subscription, subscription.plan, amount=subscription.plan.fee, key=key, at=at) is not Collected.PAID:
            raise FeeNotCollected("The card did not pay the fee; the subscription stays paused.")
    with transaction.atomic():
        wallet = lock_wallet(subscription.wallet_id)
        subscription = locked_subscription(subscription)
        if subscription.state == CANCELLED:
            raise SubscriptionCancelled(f"Subscription {subscription.public_id} is cancelled; subscribe again.")
        if subscription.cancel_at_period_end:
            subscription.cancel_at_period_end = False
            move(subscription, subscription.state, what="Not cancelled after all", at=at, reason=reason, actor=actor)
            return subscription
        if subscription.state != PAUSED:
            raise NothingToResume(f"Subscription {subscription.public_id} is {_said(subscription)}.")
        if at < subscription.period_end:
            subscription.next_due_at = subscription.period_end
        else:
            leftovers = leftovers_of(subscription, wallet=wallet, at=at)
            subscription.anchor_at, subscription.months_begun = at, 0
            period = next_period(subscription, subscription.plan)
            begin_period(subscription, subscription.plan, period=period, at=at, leftovers=leftovers, actor=actor)
        move(subscription, ACTIVE, what="Resumed", at=at, reason=reason, actor=actor)
    return subscription


def _said(subscription: Subscription) -> str:
    return "about to end" if subscription.cancel_at_period_end else subscription.state.lower().replace("_", " ")
