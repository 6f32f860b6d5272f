"""What is due without a debit: decisions in flight that somebody must carry on, wallets whose cool-down, back-off or month has
ended, days of the calendar. Woken after each decision, and every few seconds for what a crash left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from wallets.balances.lock import LockBusy
from wallets.balances.models import Wallet
from wallets.errors import Refusal
from wallets.payments.providers.taxes import tax_provider
from wallets.payments.taxes import learn_tax
from wallets.recharge.decide import decide
from wallets.recharge.models import AutoRecharge, RechargeDecision, ScheduledTopUp
from wallets.recharge.schedule import decide_day
from wallets.recharge.start import carry_out
from wallets.recharge.states import IN_FLIGHT, Cause

log = logging.getLogger(__name__)

MOST: Final = 200


def sweep_recharges(*, at: datetime) -> int:
    """Decide what is due to be decided, and carry on what is in flight; how many were looked at. Asks the network."""
    schedules = ScheduledTopUp.objects.filter(is_on=True, next_at__lte=at).order_by("next_at", "id")
    days = list(schedules.values_list("wallet_id", flat=True)[:MOST])
    rules = AutoRecharge.objects.filter(look_at__lte=at).order_by("look_at", "id")
    looks = list(rules.values_list("wallet_id", flat=True)[:MOST])
    _each(days, lambda wallet_id: decide_day(wallet_id=wallet_id, at=at))
    _learn_taxes(looks, at=at)
    _each(looks, lambda wallet_id: decide(wallet_id=wallet_id, at=at, cause=Cause.LOOK))
    in_flight = RechargeDecision.objects.filter(state=IN_FLIGHT, look_at__lte=at).order_by("look_at", "id")
    carried = list(in_flight.values_list("pk", flat=True)[:MOST])
    for decision_id in carried:
        carry_out(decision_id=decision_id, at=at)
    return len(days) + len(looks) + len(carried)


def _learn_taxes(wallet_ids: list[int], *, at: datetime) -> None:
    """What is charged must be known before the lock is taken, where nobody asks the network; who cannot say it now is asked
    at the next look."""
    if not wallet_ids or tax_provider() is None:
        return
    for wallet in Wallet.objects.select_related("account").filter(pk__in=wallet_ids):
        with suppress(Refusal):
            learn_tax(account=wallet.account, currency=wallet.currency, at=at)


def _each(wallet_ids: list[int], look: Callable[[int], object]) -> None:
    """One wallet that is busy is looked at next time; the others do not wait for it."""
    for wallet_id in wallet_ids:
        try:
            look(wallet_id)
        except LockBusy as busy:
            log.warning("wallet %d not looked at: %s", wallet_id, busy.message)
