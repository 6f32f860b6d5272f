"""End a decision as its top-up ended; once, under the wallet's lock. What is to be decided next is looked at soon after."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from wallets.balances.lock import lock_wallet
from wallets.outbox.topics import RechargeBreakerOpened, RechargeNeedsAuthentication
from wallets.outbox.write import add_news
from wallets.payments.models import TopUp
from wallets.payments.states import IN_FLIGHT as TOP_UP_IN_FLIGHT
from wallets.payments.states import PAID, REQUIRES_ACTION
from wallets.recharge.facts import chargeable_cards, facts_of
from wallets.recharge.models import AutoRecharge, RechargeDecision
from wallets.recharge.states import FAILED, IN_FLIGHT, MOVES, SUCCEEDED, Cause
from wallets.recharge.wake import wake_after_commit

SOON: Final = timedelta(minutes=1)
# An hour after it began, something in flight is asked about a few times an hour.
SELDOM: Final = timedelta(minutes=15)
AUTHENTICATION: Final = "authentication_required"


def conclude(*, wallet_id: int, at: datetime, paid: str = "") -> None:
    """Bring a wallet's decisions in flight to where their top-ups are. paid: a top-up (`top_…`) whose money has arrived,
    perhaps after it was given up. Raises LockBusy."""
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        conclude_ended(wallet_id=wallet_id, bucket=locked.bucket, at=at)
        late = RechargeDecision.objects.filter(bucket=locked.bucket, wallet_id=wallet_id, state=FAILED)
        for decision in late.filter(top_up__public_id=paid, top_up__state__in=PAID) if paid else ():
            _move(decision, SUCCEEDED, at=at)


def conclude_ended(*, wallet_id: int, bucket: int, at: datetime) -> None:
    """As `conclude`, the lock held."""
    in_flight = RechargeDecision.objects.filter(bucket=bucket, wallet_id=wallet_id, state=IN_FLIGHT, top_up__isnull=False)
    for decision in in_flight.select_related("top_up", "method", "wallet__account"):
        _conclude(decision, at=at)


def fail(decision: RechargeDecision, failure: str, *, again_at: datetime, at: datetime) -> None:
    """End a decision (as it was read under its wallet's lock) that came to no payment; `again_at` the balance is looked at."""
    _move(decision, FAILED, at=at, failure=failure[:300])
    rules = AutoRecharge.objects.filter(bucket=decision.bucket, wallet_id=decision.wallet_id)
    rules.update(look_at=again_at)


def _conclude(decision: RechargeDecision, *, at: datetime) -> None:
    top_up = decision.top_up
    assert top_up is not None, decision.public_id
    if top_up.state in PAID:
        _move(decision, SUCCEEDED, at=at)
    elif top_up.state in TOP_UP_IN_FLIGHT:
        _carry_on(decision, top_up, at=at)
        return
    else:
        _move(decision, FAILED, at=at, failure=top_up.failure)
        _tell_failed(decision, top_up, at=at)
        if decision.day is not None:
            _next_card(decision, at=at)
    _look_soon(decision, at=at)


def _carry_on(decision: RechargeDecision, top_up: TopUp, *, at: datetime) -> None:
    """It is in flight still: look again, and have its card's holder confirm, once."""
    asked_at = decision.asked_at
    if top_up.state == REQUIRES_ACTION and asked_at is None:
        asked_at = at
        _tell_asked(decision, top_up, at=at)
    wait = min(max((at - decision.decided_at) / 4, SOON), SELDOM)
    mine = RechargeDecision.objects.filter(bucket=decision.bucket, pk=decision.pk, state=IN_FLIGHT)
    mine.update(asked_at=asked_at, look_at=at + wait)


def _tell_failed(decision: RechargeDecision, top_up: TopUp, *, at: datetime) -> None:
    if top_up.failure_code == AUTHENTICATION and decision.asked_at is None:
        _tell_asked(decision, top_up, at=at)
    assert decision.method is not None, decision.public_id
    rule = AutoRecharge.objects.filter(bucket=decision.bucket, wallet_id=decision.wallet_id).first()
    card = facts_of(decision.method, since=decision.decided_at if rule is None else rule.resumed_at)
    if not card.stopped:
        return
    told = RechargeBreakerOpened(
        wallet_id=decision.wallet_id, card=decision.method.label, declines=card.declines, reason=top_up.failure
    )
    add_news([(f"wallet:{decision.wallet_id}", told)], at=at, bucket=decision.bucket)


def _tell_asked(decision: RechargeDecision, top_up: TopUp, *, at: datetime) -> None:
    told = RechargeNeedsAuthentication(
        wallet_id=decision.wallet_id, top_up=top_up.public_id, total=f"{top_up.total:f}", currency=top_up.currency
    )
    add_news([(f"wallet:{decision.wallet_id}", told)], at=at, bucket=decision.bucket)


def _next_card(decision: RechargeDecision, *, at: datetime) -> None:
    """The day's next card, if one is left that was not tried for it."""
    of_day = RechargeDecision.objects.filter(bucket=decision.bucket, wallet_id=decision.wallet_id, day=decision.day)
    tried = set(of_day.values_list("method_id", flat=True))
    left = [card for card in chargeable_cards(decision.wallet.account) if card.pk not in tried]
    if not left:
        return
    RechargeDecision.objects.create(
        bucket=decision.bucket,
        wallet_id=decision.wallet_id,
        cause=Cause.SCHEDULE,
        state=IN_FLIGHT,
        balance=decision.wallet.balance,
        amount=decision.amount,
        total=decision.total,
        method=left[0],
        day=decision.day,
        look_at=at,
        decided_at=at,
    )


def _move(decision: RechargeDecision, after: str, *, at: datetime, failure: str = "") -> None:
    """The one function that ends a decision."""
    assert after in MOVES[decision.state], (decision.public_id, decision.state, after)
    mine = RechargeDecision.objects.filter(bucket=decision.bucket, pk=decision.pk, state=decision.state)
    moved = mine.update(state=after, failure=failure, look_at=None, ended_at=at)
    assert moved == 1, (decision.public_id, decision.state, after)
    decision.state, decision.failure, decision.look_at, decision.ended_at = after, failure, None, at


def _look_soon(decision: RechargeDecision, *, at: datetime) -> None:
    """Another card may be tried, or the balance may still be below."""
    AutoRecharge.objects.filter(bucket=decision.bucket, wallet_id=decision.wallet_id).update(look_at=at)
    wake_after_commit()
