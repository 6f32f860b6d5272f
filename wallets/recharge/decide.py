"""Decide, under the wallet's lock, and write the decision down: whoever asks second finds the first one's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.outbox.topics import RechargeNotDone
from wallets.outbox.write import add_news
from wallets.payments.models import PaymentMethod
from wallets.payments.terms import Quote
from wallets.recharge.conclude import conclude_ended
from wallets.recharge.facts import read_facts
from wallets.recharge.models import AutoRecharge, RechargeDecision
from wallets.recharge.rules import Charge, Facts, NotNow, decide_recharge
from wallets.recharge.states import IN_FLIGHT, NOT_DONE, TOLD, Cause, Reason
from wallets.recharge.wake import wake_after_commit

# What waits for somebody is looked at again now and then; it is written down once.
SMALLEST: Final = Decimal("1e-12")
PATIENCE: Final = timedelta(minutes=10)
_BY_ITSELF: Final = frozenset({Reason.OFF, Reason.ENOUGH, Reason.WALLET_CLOSED, Reason.IN_FLIGHT})
"""Somebody else comes back to these: the next crossing, a change of the rule, the end of what is in flight."""


def decide(
    *, wallet_id: int, at: datetime, cause: Cause = Cause.CROSSING, below: Decimal | None = None
) -> RechargeDecision | None:
    """Decide whether a wallet (row id) recharges now, and write it down; None when there is nothing new to say. below: it does
    at or below this balance already, whatever its rule says.

    Charges nothing yet: what it decided is carried out after the commit (`start.py`). Raises LockBusy.
    """
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        rule = AutoRecharge.objects.filter(bucket=locked.bucket, wallet_id=wallet_id).first()
        if rule is None:
            return None
        conclude_ended(wallet_id=wallet_id, bucket=locked.bucket, at=at)
        wallet = Wallet.objects.select_related("account").get(bucket=locked.bucket, pk=wallet_id)
        facts, quote = read_facts(rule, wallet, at=at)
        if below is not None and below >= facts.balance:
            facts = replace(facts, threshold=max(facts.threshold, below + SMALLEST))
        verdict = decide_recharge(facts, at=at)
        AutoRecharge.objects.filter(bucket=rule.bucket, pk=rule.pk).update(look_at=_look_at(verdict, at=at))
        if isinstance(verdict, NotNow) and not _is_news(verdict, wallet, cause):
            return None
        decision = _written(verdict, facts, quote, wallet=wallet, cause=cause, at=at)
        wake_after_commit()
    return decision


def _look_at(verdict: Charge | NotNow, *, at: datetime) -> datetime | None:
    if isinstance(verdict, Charge) or verdict.reason in _BY_ITSELF:
        return None
    return verdict.next_at or at + PATIENCE


def _is_news(verdict: NotNow, wallet: Wallet, cause: Cause) -> bool:
    """A crossing is always answered; a look says only what has changed."""
    if cause is Cause.CROSSING:
        return verdict.reason is not Reason.OFF
    if verdict.reason in _BY_ITSELF:
        return False
    of_wallet = RechargeDecision.objects.filter(bucket=wallet.bucket, wallet=wallet, day__isnull=True)
    last = of_wallet.order_by("-id").values_list("reason", "next_at", "method_id").first()
    return last != (verdict.reason, verdict.next_at, verdict.card_id)


def _written(
    verdict: Charge | NotNow, facts: Facts, quote: Quote | None, *, wallet: Wallet, cause: Cause, at: datetime
) -> RechargeDecision:
    charges = isinstance(verdict, Charge)
    decision = RechargeDecision(
        bucket=wallet.bucket,
        wallet=wallet,
        cause=cause,
        state=IN_FLIGHT if charges else NOT_DONE,
        balance=facts.balance,
        threshold=facts.threshold,
        cap=facts.cap,
        charged_before=facts.charged,
        amount=None if quote is None else quote.amount,
        total=None if quote is None else quote.total,
        method_id=verdict.card_id,
        decided_at=at,
    )
    if isinstance(verdict, NotNow):
        decision.reason, decision.next_at, decision.ended_at = verdict.reason, verdict.next_at, at
    else:
        decision.look_at = at
    decision.save(force_insert=True)
    if isinstance(verdict, NotNow) and verdict.reason in TOLD:
        told = RechargeNotDone(
            wallet_id=wallet.pk,
            decision=decision.public_id,
            reason=verdict.reason,
            balance=f"{facts.balance:f}",
            below=f"{facts.threshold:f}",
            currency=wallet.currency,
            next_at="" if verdict.next_at is None else verdict.next_at.isoformat(),
        )
        add_news([(f"wallet:{wallet.pk}", told)], at=at, bucket=wallet.bucket)
    return decision


def card_of(decision: RechargeDecision) -> PaymentMethod:
    """The card a decision charges."""
    assert decision.method is not None, decision.public_id
    return decision.method
