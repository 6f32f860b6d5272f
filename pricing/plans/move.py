"""The one function that changes a subscription's state, and the history and news that go with every change."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.plans.models import Subscription, SubscriptionChange
from pricing.plans.states import MOVES
from wallets.outbox.topics import SubscriptionChanged
from wallets.outbox.write import add_news


def move(
    subscription: Subscription,
    after: str,
    *,
    what: str,
    at: datetime,
    reason: str = "",
    actor: str = "",
    before: str | None = None,
) -> None:
    """Save the subscription in state `after` (which may be the one it is in), write the line of its history, tell the news.

    before: the state it comes from; None is the one it is in. The caller holds its wallet's lock.
    """
    assert transaction.get_connection().in_atomic_block, subscription.public_id
    was = subscription.state if before is None else before
    assert not was or after == was or after in MOVES[was], (subscription.public_id, was, after)
    subscription.state = after
    subscription.save()
    SubscriptionChange.objects.create(
        subscription=subscription, at=at, what=what, before=was, after=after, reason=reason, actor=actor
    )
    told = SubscriptionChanged(subscription.public_id, subscription.account_id, subscription.plan_code, was, after, what)
    add_news([(f"subscription:{subscription.pk}", told)], at=at, bucket=subscription.account.bucket)
