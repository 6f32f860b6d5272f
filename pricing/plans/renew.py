"""Renew what is due: begin the next period of subscriptions whose present one has ended, end those that were cancelled, try
again where a fee was not paid. A sweep: safe to repeat, to miss, and to run beside itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from pricing.plans.begin import begin_period, leftovers_of, next_period
from pricing.plans.card import Collected, NoCardPayments, collect
from pricing.plans.end import end_subscription
from pricing.plans.models import Plan, Subscription
from pricing.plans.move import move
from pricing.plans.prepared import drop_prepared
from pricing.plans.price_book import use_book_of
from pricing.plans.states import ACTIVE, PAST_DUE
from wallets.balances.lock import LockBusy, lock_wallet
from wallets.balances.open import WalletClosed
from wallets.credit.fee import CreditExhausted
from wallets.credit.models import CreditLot

# An unpaid fee is tried again after an hour, six hours, then every day; after a fortnight the subscription ends.
RETRIES: Final = (timedelta(hours=1), timedelta(hours=6))
RETRY_DAILY: Final = timedelta(days=1)
LONGEST_PAST_DUE: Final = timedelta(days=14)
# A bank or a card's holder has been asked; the answer comes when it comes.
ASK_AGAIN: Final = timedelta(minutes=15)


@dataclass(slots=True)
class Renewals:
    """What a sweep did: periods begun, fees not paid, subscriptions ended."""

    begun: int = 0
    unpaid: int = 0
    ended: int = 0


def renew_due(*, at: datetime) -> Renewals:
    """Bring every subscription up to `at`: each period in one transaction under its wallet's lock, once.

    Several periods that were missed begin one after the other. Raises LockBusy at the end when wallets stayed locked; the
    others are done.
    """
    done = Renewals()
    busy: LockBusy | None = None
    _try_with_new_credit(at=at)
    due = Subscription.objects.filter(next_due_at__lte=at).order_by("next_due_at", "id")
    for subscription_id in list(due.values_list("id", flat=True)):
        try:
            while _renew_one(subscription_id, done, at=at):
                pass
        except LockBusy as error:
            busy = error
    if busy is not None:
        raise busy
    return done


def _try_with_new_credit(*, at: datetime) -> None:
    """Whoever got credit since the fee was last not paid need not wait for the next try."""
    came = CreditLot.objects.filter(wallet_id=OuterRef("wallet_id"), unit_meter="", created_at__gt=OuterRef("tried_at"))
    behind = Subscription.objects.filter(Exists(came), state=PAST_DUE, pay_by=Subscription.PayBy.WALLET, next_due_at__gt=at)
    behind.update(next_due_at=at)


def _renew_one(subscription_id: int, done: Renewals, *, at: datetime) -> bool:
    """One step of one subscription; whether there may be another."""
    seen = Subscription.objects.select_related("plan", "next_plan").get(pk=subscription_id)
    if not _is_due(seen, at=at):
        return False
    if _ends_now(seen, at=at):
        return _end(seen, done, at=at)
    plan = seen.next_plan or seen.plan
    key = f"{seen.public_id}:{seen.period_index + 1}:{seen.attempts}"
    try:
        collected = collect(seen, plan, amount=plan.fee, key=key, at=at)
    except NoCardPayments:
        collected = Collected.DECLINED
    if collected is not Collected.PAID:
        return _fall_behind(seen, done, why=f"card {collected}", waiting=collected is Collected.WAITING, at=at)
    try:
        return _begin(seen, plan, done, at=at)
    except CreditExhausted as refusal:
        return _fall_behind(seen, done, why=refusal.message, waiting=False, at=at)
    except WalletClosed:
        return _end(seen, done, at=at)


def _is_due(subscription: Subscription, *, at: datetime) -> bool:
    return subscription.next_due_at is not None and subscription.next_due_at <= at


def _ends_now(subscription: Subscription, *, at: datetime) -> bool:
    since = subscription.past_due_since
    return subscription.cancel_at_period_end or (since is not None and at >= since + LONGEST_PAST_DUE)


def _locked(seen: Subscription, *, at: datetime) -> Subscription | None:
    """The subscription as it is under its wallet's lock; None when somebody else has taken this step meanwhile."""
    fresh = Subscription.objects.select_related("plan", "next_plan", "account").get(pk=seen.pk)
    same = (fresh.period_index, fresh.attempts, fresh.plan_id, fresh.next_plan_id, fresh.cancel_at_period_end)
    before = (seen.period_index, seen.attempts, seen.plan_id, seen.next_plan_id, seen.cancel_at_period_end)
    return fresh if same == before and _is_due(fresh, at=at) else None


def _begin(seen: Subscription, plan: Plan, done: Renewals, *, at: datetime) -> bool:
    """The next period."""
    with transaction.atomic():
        wallet = lock_wallet(seen.wallet_id)
        subscription = _locked(seen, at=at)
        if subscription is None:
            return True
        period = next_period(subscription, plan)
        before, switched = subscription.state, plan.pk != subscription.plan_id
        leftovers = leftovers_of(subscription, wallet=wallet, at=at)
        begin_period(subscription, plan, period=period, at=at, leftovers=leftovers, actor="")
        if switched:
            subscription.next_plan = None
            use_book_of(plan, subscription=subscription, at=at)
        what = f"Changed to {plan.name}" if switched else f"Renewed until {subscription.period_end:%d %b %Y %H:%M} UTC"
        move(subscription, ACTIVE, what=what, at=at, before=before)
    done.begun += 1
    return True


def _fall_behind(seen: Subscription, done: Renewals, *, why: str, waiting: bool, at: datetime) -> bool:
    """The fee was not paid: past due, to be tried again."""
    with transaction.atomic():
        lock_wallet(seen.wallet_id)
        subscription = _locked(seen, at=at)
        if subscription is None:
            return True
        subscription.past_due_since = subscription.past_due_since or at
        subscription.tried_at = at
        drop_prepared(subscription, at=at, reason="The fee was not paid")
        if waiting:
            subscription.next_due_at = at + ASK_AGAIN
        else:
            tries = dict(enumerate(RETRIES))
            subscription.next_due_at = at + tries.get(subscription.attempts, RETRY_DAILY)
            subscription.attempts += 1
        move(subscription, PAST_DUE, what="The fee was not paid", reason=why[:500], at=at)
    done.unpaid += 1
    return False


def _end(seen: Subscription, done: Renewals, *, at: datetime) -> bool:
    why = (
        "as asked" if seen.cancel_at_period_end else "the fee stayed unpaid" if seen.past_due_since else "its wallet is closed"
    )
    with transaction.atomic():
        lock_wallet(seen.wallet_id)
        subscription = _locked(seen, at=at)
        if subscription is None:
            return True
        end_subscription(subscription, what=f"Ended: {why}", at=at)
    done.ended += 1
    return False
