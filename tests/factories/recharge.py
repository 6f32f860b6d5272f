"""Rules to recharge by, through the verbs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from billing_site.outbox_readers import READERS
from tests.factories.payments import AT
from wallets.balances.models import Wallet
from wallets.outbox.deliver import deliver_news
from wallets.recharge.configure import RechargeTerms, set_auto_recharge
from wallets.recharge.log import latest_lines
from wallets.recharge.models import AutoRecharge
from wallets.recharge.sweep import sweep_recharges

TERMS: Final = RechargeTerms(threshold=Decimal(5), amount=Decimal(50), monthly_cap=Decimal(500), cool_down_seconds=300)


def set_rule(wallet: Wallet, *, at: datetime = AT, **terms: Any) -> AutoRecharge:
    """A rule: below 5, 50, at most 500 a month, 5 minutes apart."""
    return set_auto_recharge(wallet_id=wallet.pk, terms=replace(TERMS, **terms), at=at)


def recharging(*, at: datetime) -> None:
    """What the worker does: news is read, and what is due is done."""
    deliver_news(readers=READERS, at=at)
    sweep_recharges(at=at)


def lines(wallet: Wallet) -> list[str]:
    """What the log says, newest first."""
    return [line.text for line in latest_lines(wallet_id=wallet.pk, limit=100)]
