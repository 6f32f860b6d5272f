"""What became of lots: how much of each went where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from wallets.ledger.models import LedgerAccount, Posting

NAMES = {
    LedgerAccount.Kind.REVENUE: "used",
    LedgerAccount.Kind.ALLOWANCE_USED: "used",
    LedgerAccount.Kind.FEES: "fees",
    LedgerAccount.Kind.BREAKAGE: "expired",
    LedgerAccount.Kind.REFUNDS: "refunded",
    LedgerAccount.Kind.DISPUTED_CREDIT: "disputed",
    LedgerAccount.Kind.OVERDRAFT_RECEIVABLE: "repaid what was owed",
    LedgerAccount.Kind.TRANSFERS_IN_TRANSIT: "moved to another wallet",
    LedgerAccount.Kind.ADJUSTMENTS: "corrected",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Part of a lot: what it went to (`used`, `expired` ...), of what (a meter), how much, in the wallet's currency."""

    what: str
    of: str
    amount: Decimal


def spent_of_lots(*, bucket: int, lot_ids: Collection[int]) -> dict[int, list[Spent]]:
    """What lots were spent on, by lot, the most first; what came back is taken off. One query, over the lots' postings."""
    rows = (
        Posting.objects.filter(bucket=bucket, lot_id__in=list(lot_ids), contra__kind__in=list(NAMES))
        .values("lot_id", "contra__kind", "contra__qualifier")
        .annotate(total=Sum("amount"))
    )
    spent: dict[int, list[Spent]] = defaultdict(list)
    for row in rows:
        lot_id = row["lot_id"]
        if lot_id is not None and row["total"] < 0:
            kind = LedgerAccount.Kind(row["contra__kind"])
            spent[lot_id].append(Spent(NAMES[kind], row["contra__qualifier"], -row["total"]))
    return {lot: sorted(parts, key=lambda part: -part.amount) for lot, parts in spent.items()}
