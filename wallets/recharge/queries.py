"""Rules and schedules, for pages and the API."""

from __future__ import annotations

from wallets.balances.models import Wallet
from wallets.recharge.configure import COOL_DOWN
from wallets.recharge.models import AutoRecharge, ScheduledTopUp


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
