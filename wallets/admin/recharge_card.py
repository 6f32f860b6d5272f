"""Auto-recharge on the wallet page: the rule, the schedule, and the decisions in the words the customer reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from wallets.balances.models import Wallet
from wallets.recharge.log import DecisionLine, latest_lines
from wallets.recharge.queries import rule_of, schedule_of

LINES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class RechargeCard:
    """What the card shows. state: on, off or none (nobody has set a rule). monthly: the amount of the schedule; None: there
    is none."""

    state: str
    threshold: Decimal
    amount: Decimal | None
    target: Decimal | None
    monthly_cap: Decimal
    pause: timedelta
    changed_at: datetime | None
    changed_by: str
    look_at: datetime | None
    monthly: Decimal | None
    day: int
    next_at: datetime | None
    lines: list[DecisionLine]


def read_recharge_card(wallet: Wallet) -> RechargeCard:
    """The card of a wallet: three queries."""
    rule, schedule = rule_of(wallet), schedule_of(wallet)
    return RechargeCard(
        state="none" if not rule.pk else "on" if rule.is_on else "off",
        threshold=rule.threshold if rule.pk else Decimal(0),
        amount=rule.amount,
        target=rule.target,
        monthly_cap=rule.monthly_cap if rule.pk else Decimal(0),
        pause=timedelta(seconds=rule.cool_down_seconds),
        changed_at=rule.changed_at,
        changed_by=rule.changed_by,
        look_at=rule.look_at,
        monthly=schedule.amount if schedule.is_on else None,
        day=schedule.day or 0,
        next_at=schedule.next_at,
        lines=latest_lines(wallet_id=wallet.pk, limit=LINES_SHOWN),
    )
