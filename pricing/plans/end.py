"""End a subscription: the last step of cancelling it, and of a fee that stays unpaid."""

from __future__ import annotations

from datetime import datetime

from pricing.plans.models import Subscription
from pricing.plans.move import move
from pricing.plans.prepared import drop_prepared
from pricing.plans.price_book import leave_book
from pricing.plans.states import CANCELLED


def end_subscription(subscription: Subscription, *, what: str, at: datetime, reason: str = "", actor: str = "") -> None:
    """Nothing is due any more, and the account pays what it paid before. The caller holds the wallet's lock."""
    subscription.next_due_at = subscription.past_due_since = subscription.next_plan = None
    subscription.ended_at = at
    drop_prepared(subscription, at=at, reason=what)
    leave_book(subscription=subscription, at=at)
    move(subscription, CANCELLED, what=what, at=at, reason=reason, actor=actor)
