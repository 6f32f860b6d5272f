"""What the gate refused: calls by reason, and what they would have brought."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from metering.gate.models import GateDecisions, RefusedRevenue
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, column_totals, share

CHARTED: Final = 12
COLUMNS: Final = (
    Column("account", "Account"),
    Column("refused", "Would have brought", "amount"),
    Column("percent", "Of all refused", "percent"),
)


def read_refusals(*, start: datetime, end: datetime, currency: str) -> Report:
    """Accounts whose calls were refused or slowed down from `start` until before `end`, by what these would have cost, as
    far as the gate was told. Counts are of calls, kept by minute for two days and by hour after; no journal entry stands
    behind them."""
    spans = {"start__gte": start, "start__lt": end}
    found = (
        RefusedRevenue.objects.filter(**spans, currency=currency)
        .values("account", "account__key")
        .annotate(amount_sum=Sum("amount"))
        .order_by("-amount_sum", "account__key")
    )
    whole = sum((row["amount_sum"] for row in found), ZERO)
    rows = [
        [Ref("account", row["account"], row["account__key"]), row["amount_sum"], share(row["amount_sum"], whole)]
        for row in found
    ]
    decisions = {
        row["reason"]: row["times"]
        for row in GateDecisions.objects.filter(**spans).values("reason").annotate(times=Sum("decisions")).order_by("reason")
    }
    allowed = decisions.pop("allow", 0)
    refused = sum(decisions.values())
    return Report(
        currency=currency,
        total=Figure("Revenue refused", whole),
        figures=[
            Figure("Calls refused", refused, "count"),
            Figure("Calls let through", allowed, "count"),
            Figure("Refused", share(Decimal(refused), Decimal(refused + allowed)), "percent"),
            *(Figure(reason.replace("_", " ").capitalize(), times, "count") for reason, times in decisions.items()),
        ],
        columns=COLUMNS,
        rows=rows,
        totals=column_totals(COLUMNS, rows),
        chart=Chart("Would have brought, by account", [(str(row[0]), row[1]) for row in rows[:CHARTED]]),
        notes=("A refused call is never charged: the journal knows nothing of it. Calls of all currencies are counted.",),
    )
