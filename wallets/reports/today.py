"""What finance looks at first in the morning: cash in, failed recharges, credit that ends soon."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Sum

from wallets.credit.models import CreditLot
from wallets.ledger.days import journal_sums
from wallets.ledger.proof_models import ProofRun
from wallets.money import ZERO
from wallets.recharge.models import RechargeDecision

SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ending:
    """Credit of one currency that ends within 30 days."""

    currency: str
    amount: Decimal
    lots: int


def cash_in(*, start: datetime, end: datetime) -> list[tuple[str, Decimal]]:
    """Money that came in from `start` until before `end`, less what went back, by currency, the most first."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in journal_sums(start=start, end=end, kinds=["CASH_CLEARING"]):
        sums[one.currency] -= one.amount
    return sorted(sums.items(), key=lambda one: (-one[1], one[0]))


def failed_recharges(*, since: datetime) -> int:
    """Recharges that were tried and did not go through."""
    return RechargeDecision.objects.filter(state="FAILED", decided_at__gte=since).count()


def ending_soon(*, at: datetime) -> list[Ending]:
    """Open credit that ends within 30 days, by currency, the most first."""
    lots = CreditLot.objects.filter(state=CreditLot.State.OPEN, unit_meter="", expires_at__gte=at, expires_at__lt=at + SOON)
    rows = (
        lots.values("wallet__currency").annotate(left=Sum("remaining"), lots=Count("pk")).order_by("-left", "wallet__currency")
    )
    return [Ending(row["wallet__currency"], row["left"], row["lots"]) for row in rows]


def last_proof_run() -> ProofRun | None:
    """The latest run of the proof that was kept."""
    return ProofRun.objects.order_by("-at", "-pk").first()
