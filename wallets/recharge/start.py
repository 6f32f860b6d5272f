"""Recharge: decide under the wallet's lock, commit, then ask for the money with the decision's id as the key. Killed anywhere
in between, the same decision is carried on by the sweep, and charges once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from wallets.balances.lock import LockBusy, lock_wallet
from wallets.errors import NotFound, Refusal
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.payments.reconcile import reconcile_top_up
from wallets.payments.settle import expire_top_up
from wallets.payments.start import start_payment
from wallets.payments.states import IN_FLIGHT as TOP_UP_IN_FLIGHT
from wallets.payments.top_up import create_top_up
from wallets.recharge.conclude import conclude, fail
from wallets.recharge.decide import card_of, decide
from wallets.recharge.models import RechargeDecision
from wallets.recharge.states import IN_FLIGHT, Cause

log = logging.getLogger(__name__)

# Whoever claimed a decision has this long to carry it on; then somebody else does, with the same keys.
LEASE: Final = timedelta(minutes=1)
# Before its payment was noted no money has moved, and after so long the balance is not what it was.
STUCK: Final = timedelta(hours=1)
# Velocity limits and the like do not end sooner; a debit that falls below again asks at once.
AFTER_REFUSAL: Final = timedelta(hours=1)
COST_CHANGED: Final = "what it costs has changed since it was decided"
ACTOR: Final = "auto-recharge"


def start_recharge(*, wallet_id: int, at: datetime, cause: Cause = Cause.CROSSING) -> RechargeDecision | None:
    """Decide whether a wallet (row id) recharges now and, if so, charge; the decision as it stands then, None when there is
    nothing new to say. Asks the network, so it cannot be called inside a transaction. Raises LockBusy."""
    with transaction.atomic(durable=True):
        decision = decide(wallet_id=wallet_id, at=at, cause=cause)
    if decision is not None and decision.state == IN_FLIGHT:
        carry_out(decision_id=decision.pk, at=at)
        decision.refresh_from_db()
    return decision


def carry_out(*, decision_id: int, at: datetime) -> bool:
    """Carry a decision (row id) on to where its payment goes, unless somebody else is at it; whether it was ours to do.

    Asks the network. What the provider does not answer is asked again later.
    """
    due = RechargeDecision.objects.filter(pk=decision_id, state=IN_FLIGHT, look_at__lte=at)
    if not due.update(look_at=at + LEASE):
        return False
    decision = RechargeDecision.objects.select_related("wallet__account", "method", "top_up").get(pk=decision_id)
    try:
        top_up = decision.top_up or _make_top_up(decision, at=at)
        if top_up is not None and top_up.state in TOP_UP_IN_FLIGHT:
            _pay(top_up, at=at)
        conclude(wallet_id=decision.wallet_id, at=at)
    except (ProviderUnavailable, LockBusy) as refusal:
        log.warning("recharge %s waits: %s", decision.public_id, refusal.message)
    return True


def _make_top_up(decision: RechargeDecision, *, at: datetime) -> TopUp | None:
    """The decision's top-up, made once and noted on it; None when the decision was ended instead."""
    assert decision.amount is not None, decision.public_id
    try:
        top_up = create_top_up(
            wallet=decision.wallet,
            amount=decision.amount,
            at=decision.decided_at,
            origin=TopUp.Origin.SCHEDULE if decision.day else TopUp.Origin.RECHARGE,
            actor=ACTOR,
            card_id=card_of(decision).public_id,
            request_key=decision.public_id,
        )
    except (LockBusy, ProviderUnavailable):
        raise
    except NotFound:
        _end_without_top_up(decision, "the card was removed meanwhile", at=at)
        return None
    except Refusal as refusal:
        _end_without_top_up(decision, refusal.message, at=at)
        return None
    return _noted(decision, top_up, at=at)


def _end_without_top_up(decision: RechargeDecision, why: str, *, at: datetime) -> None:
    """End a decision whose top-up was refused; unless somebody made it after all."""
    with transaction.atomic():
        lock_wallet(decision.wallet_id)
        if TopUp.objects.filter(request_key=decision.public_id).exists():
            return
        mine = RechargeDecision.objects.filter(bucket=decision.bucket, pk=decision.pk, state=IN_FLIGHT).first()
        if mine is not None:
            fail(mine, why, again_at=at + AFTER_REFUSAL, at=at)


def _noted(decision: RechargeDecision, top_up: TopUp, *, at: datetime) -> TopUp | None:
    """Note the top-up on its decision before anything is paid: a decision that was ended meanwhile, or one whose cost is
    not what was decided, charges nothing."""
    with transaction.atomic():
        lock_wallet(decision.wallet_id)
        mine = RechargeDecision.objects.select_related("top_up").get(bucket=decision.bucket, pk=decision.pk)
        if mine.top_up is not None:
            return mine.top_up
        if mine.state == IN_FLIGHT and top_up.total == mine.total:
            RechargeDecision.objects.filter(bucket=mine.bucket, pk=mine.pk).update(top_up=top_up)
            return top_up
        expire_top_up(top_up_id=top_up.pk, at=at)
        if mine.state == IN_FLIGHT:
            fail(mine, COST_CHANGED, again_at=at + LEASE, at=at)
    return None


def _pay(top_up: TopUp, *, at: datetime) -> None:
    """Have the provider charge it, or see what became of it."""
    if top_up.payment_id is not None:
        reconcile_top_up(top_up=top_up, at=at)
    elif at - top_up.created_at >= STUCK:
        expire_top_up(top_up_id=top_up.pk, at=at)
    else:
        start_payment(top_up=top_up, at=at, off_session=True)
