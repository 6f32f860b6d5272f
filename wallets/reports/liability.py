"""What we owe our customers now, and what they owe us."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class Liability:
    """One currency. paid: deferred revenue; given: promotional and other credit; receivable: overdrafts."""

    currency: str
    paid: Decimal
    given: Decimal
    receivable: Decimal
    overdrawn_wallets: int


def liability_now() -> list[Liability]:
    """By currency, the largest paid liability first. Two sums over what is open now, however long the history."""
    paid = Q(kind=CreditLot.Kind.PAID)
    lots = (
        CreditLot.objects.filter(state=CreditLot.State.OPEN, unit_meter="")
        .values("wallet__currency")
        .annotate(paid=Coalesce(Sum("remaining", filter=paid), ZERO), given=Coalesce(Sum("remaining", filter=~paid), ZERO))
        .order_by("wallet__currency")
    )
    credit = {row["wallet__currency"]: (row["paid"], row["given"]) for row in lots}
    owed = (
        Wallet.objects.filter(overdraft__gt=0)
        .values("currency")
        .annotate(owed=Sum("overdraft"), wallets=Count("id"))
        .order_by("currency")
    )
    overdrafts = {row["currency"]: (row["owed"], row["wallets"]) for row in owed}
    found = [
        Liability(currency, *credit.get(currency, (ZERO, ZERO)), *overdrafts.get(currency, (ZERO, 0)))
        for currency in sorted(credit.keys() | overdrafts.keys())
    ]
    return sorted(found, key=lambda one: -one.paid)
