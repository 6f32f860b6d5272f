"""Auto-recharges: how many went through, and why the others did not."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.payments.models import TopUp
from wallets.recharge.models import RechargeDecision
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals, share

COLUMNS: Final = (
    Column("outcome", "Outcome"),
    Column("reason", "Why"),
    Column("recharges", "Recharges", "count"),
    Column("wallets", "Wallets", "count"),
    Column("amount", "Credit", "amount"),
    Column("percent", "Of those charged", "percent"),
)
_OUTCOMES: Final = {"SUCCEEDED": "Credited", "FAILED": "Failed", "IN_FLIGHT": "On its way", "NOT_DONE": "Not tried"}


def read_recharges(*, start: datetime, end: datetime, currency: str) -> Report:
    """Decisions from `start` until before `end`, by outcome and reason. Ties all top-ups that were settled, recharges
    among them, to the cash that came in through their providers."""
    rows = (
        RechargeDecision.objects.filter(decided_at__gte=start, decided_at__lt=end, wallet__currency=currency)
        .annotate(why=Coalesce(F("top_up__failure_code"), F("reason")))
        .values("state", "why", "reason")
        .annotate(times=Count("pk"), of_wallets=Count("wallet", distinct=True), credit=Sum("amount"))
        .order_by("state", "-times", "why", "reason")
    )
    found = [
        [
            _OUTCOMES.get(row["state"], row["state"].capitalize()),
            (row["reason"] or row["why"] or "").replace("_", " "),
            row["times"],
            row["of_wallets"],
            row["credit"] or ZERO,
            row["state"],
        ]
        for row in rows
    ]
    tried = sum(row[2] for row in found if row[5] in {"SUCCEEDED", "FAILED"})
    table = [[*row[:5], share(Decimal(row[2]), Decimal(tried)) if row[5] in {"SUCCEEDED", "FAILED"} else None] for row in found]
    went = sum(row[2] for row in found if row[5] == "SUCCEEDED")
    totals = column_totals(COLUMNS, table)
    totals[1], totals[3] = None, None
    settled = TopUp.objects.filter(
        settled_at__gte=start, settled_at__lt=end, currency=currency, origin__in=[TopUp.Origin.RECHARGE, TopUp.Origin.SCHEDULE]
    ).aggregate(credit=Sum("amount"), cash=Sum("total"))
    all_settled = TopUp.objects.filter(settled_at__gte=start, settled_at__lt=end, currency=currency).aggregate(
        cash=Sum("total")
    )
    providers = set(TopUp.objects.filter(currency=currency).values_list("provider", flat=True).distinct())
    cash = journal_sums(start=start, end=end, currency=currency, kinds=["CASH_CLEARING"])
    came_in = -sum((one.amount for one in cash if one.entry == "GRANT" and one.qualifier in providers), ZERO)
    return Report(
        currency=currency,
        total=Figure("Went through", share(Decimal(went), Decimal(tried)), "percent"),
        figures=[
            Figure("Credit from recharges", settled["credit"] or ZERO),
            Figure("Charged for it", settled["cash"] or ZERO),
            Figure("All top-ups settled", all_settled["cash"] or ZERO),
        ],
        columns=COLUMNS,
        rows=table,
        totals=totals,
        ties=[Tie("Top-ups settled, as cash", all_settled["cash"] or ZERO, came_in)],
        chart=Chart(
            "Recharges by outcome and reason",
            [(f"{row[0]}{f': {row[1]}' if row[1] else ''}", Decimal(row[2])) for row in table],
            "count",
        ),
        notes=(
            "A recharge that was not tried names the rule that held it back: cool-down, monthly cap, a breaker after declines.",
        ),
    )
