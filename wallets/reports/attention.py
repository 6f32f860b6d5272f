"""Wallets someone should look at, and the credit that came in last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.credit.models import CreditLot


@dataclass(frozen=True, slots=True)
class OverdrawnWallet:
    """A wallet that owes."""

    pk: int
    account: str
    currency: str
    overdraft: Decimal


@dataclass(frozen=True, slots=True)
class RecentCrossing:
    """A wallet that fell below a threshold: a share of its reference (0: used up), or an amount."""

    wallet_pk: int
    account: str
    currency: str
    percent: int | None
    amount: Decimal | None
    balance: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class RecentCredit:
    """Credit that was granted."""

    lot_pk: int
    wallet_pk: int
    account: str
    currency: str
    kind: str
    amount: Decimal
    at: datetime


def overdrawn_wallets(*, limit: int) -> list[OverdrawnWallet]:
    """Those that owe most first."""
    wallets = Wallet.objects.filter(overdraft__gt=0).select_related("account").order_by("-overdraft", "id")
    return [OverdrawnWallet(one.pk, one.account.name, one.currency, one.overdraft) for one in wallets[:limit]]


def recent_crossings(*, limit: int) -> list[RecentCrossing]:
    """The latest first."""
    crossings = ThresholdCrossing.objects.filter(back=False).select_related("wallet__account").order_by("-id")
    return [
        RecentCrossing(
            one.wallet_id, one.wallet.account.name, one.wallet.currency, one.percent, one.amount, one.balance, one.crossed_at
        )
        for one in crossings[:limit]
    ]


def recent_credit(*, limit: int) -> list[RecentCredit]:
    """The latest first."""
    lots = CreditLot.objects.filter(unit_meter="").select_related("wallet__account").order_by("-id")
    return [
        RecentCredit(one.pk, one.wallet_id, one.wallet.account.name, one.wallet.currency, one.kind, one.amount, one.created_at)
        for one in lots[:limit]
    ]
