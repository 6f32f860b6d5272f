"""Rules and schedules, for pages and the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from wallets.balances.models import Wallet
from wallets.money import ZERO
from wallets.outbox.models import Delivery
from wallets.outbox.topics import RechargeDue
from wallets.outbox.write import topic_of
from wallets.recharge.configure import COOL_DOWN
from wallets.recharge.models import AutoRecharge, RechargeDecision, ScheduledTopUp
from wallets.recharge.states import FAILED, IN_FLIGHT, TOLD

READER: Final = "recharge"
"""The name under which recharges read the news (billing_site/outbox_readers.py)."""


def rule_of(wallet: Wallet) -> AutoRecharge:
    """A wallet's rule; one that is off and has no figures (and no row) when it never had one."""
    rule = AutoRecharge.objects.filter(bucket=wallet.bucket, wallet=wallet).first()
    rule = rule or AutoRecharge(is_on=False, cool_down_seconds=int(COOL_DOWN.total_seconds()))
    rule.wallet = wallet
    return rule


def schedule_of(wallet: Wallet) -> ScheduledTopUp:
    """A wallet's scheduled top-up; one that is off and has no figures (and no row) when it never had one."""
    schedule = ScheduledTopUp.objects.filter(bucket=wallet.bucket, wallet=wallet).first() or ScheduledTopUp(is_on=False)
    schedule.wallet = wallet
    return schedule


def credit_on_its_way(wallet: Wallet, *, ended: str = "") -> Decimal:
    """What recharges under way, or due and not decided yet, will add to a wallet; one that waits for its card's holder may
    never. ended: a top-up known to have ended, whose decision may not be."""
    under_way = RechargeDecision.objects.filter(
        bucket=wallet.bucket, wallet_id=wallet.pk, state=IN_FLIGHT, asked_at__isnull=True
    ).values_list("amount", "top_up__public_id")
    amounts = [amount for amount, top_up in under_way if amount is not None and not (ended and top_up == ended)]
    if amounts:
        return sum(amounts, ZERO)
    waiting = Delivery.objects.filter(reader=READER, subject=f"wallet:{wallet.pk}", delivered_at__isnull=True)
    if not waiting.filter(news__topic=topic_of(RechargeDue)).exists():
        return ZERO
    rule = rule_of(wallet)
    if not rule.is_on:
        return ZERO
    return rule.amount if rule.amount is not None else max((rule.target or ZERO) - wallet.balance, ZERO)


def wallets_that_recharge() -> set[int]:
    """Row ids of the wallets whose rule is on and whose last recharge was not stopped by something somebody has to mend."""
    on = set(AutoRecharge.objects.filter(is_on=True).values_list("wallet_id", flat=True))
    latest = RechargeDecision.objects.filter(day__isnull=True, wallet_id__in=on).order_by("wallet_id", "-id")
    rows = latest.distinct("wallet_id").values_list("wallet_id", "state", "reason")
    return on - {wallet_id for wallet_id, state, reason in rows if state == FAILED or reason in TOLD}
