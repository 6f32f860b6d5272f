"""Hold back an alert that a recharge on its way will make false; tell it when the recharge did not come.

A held alert is looked at again when there is news of the recharge, and every minute for what news does not say: it is told as
soon as nothing is on its way that would take the balance above its threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from notifications.alerts.models import HeldAlert
from notifications.alerts.raise_alert import raise_alert
from wallets.balances.models import Wallet
from wallets.recharge.queries import credit_on_its_way

MOST: Final = 500
State = HeldAlert.State


def hold_back(
    *, wallet_id: int, topic: str, key: str, level: Decimal, facts: Mapping[str, str], severity: str, at: datetime
) -> bool:
    """Hold an alert about a balance at or below `level`, if a recharge on its way will take it above; whether it did."""
    wallet = Wallet.objects.get(pk=wallet_id)
    coming = credit_on_its_way(wallet)
    if not coming or wallet.balance + coming <= level:
        return False
    held = HeldAlert(wallet_id=wallet_id, topic=topic, key=key, level=level, facts=dict(facts), severity=severity, held_at=at)
    HeldAlert.objects.bulk_create([held], ignore_conflicts=True)
    return True


def settle_held(*, wallet_id: int, at: datetime, ended: str = "") -> int:
    """Tell what is held of a wallet and will not become false, end what has; returns how many were told.

    ended: a top-up that is known to have ended, whose recharge may not be concluded yet.
    """
    with transaction.atomic():
        waiting = HeldAlert.objects.select_for_update().filter(wallet_id=wallet_id, state=State.HELD).order_by("id")
        held = list(waiting)
        if not held:
            return 0
        wallet = Wallet.objects.get(pk=wallet_id)
        coming = credit_on_its_way(wallet, ended=ended)
        told = 0
        for one in held:
            if wallet.balance > one.level:
                one.state, one.ended_at = State.OVERTAKEN, at
            elif not coming or wallet.balance + coming <= one.level:
                one.state, one.ended_at = State.TOLD, at
                facts = one.facts | {"balance": f"{wallet.balance:f}"}
                raise_alert(
                    topic=one.topic, key=one.key, account_id=wallet.account_id, wallet_id=wallet.pk, facts=facts, at=at,
                    severity=one.severity,
                )  # fmt: skip
                told += 1
        HeldAlert.objects.bulk_update(held, ["state", "ended_at"])
    return told


def settle_all_held(*, at: datetime) -> int:
    """Settle every wallet that has something held; returns how many alerts were told."""
    waiting = HeldAlert.objects.filter(state=State.HELD).order_by("wallet_id").values_list("wallet_id", flat=True)
    return sum(settle_held(wallet_id=wallet_id, at=at) for wallet_id in waiting.distinct()[:MOST])
