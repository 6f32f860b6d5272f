"""Deferred revenue by cohort: of the credit sold in each month, what is consumed, expired, gone back, and still owed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals, share
from wallets.reports.roll_forward import movement_of
from wallets.reports.standing import open_lots_at

COLUMNS: Final = (
    Column("cohort", "Sold in"),
    Column("sold", "Sold", "amount"),
    Column("consumed", "Consumed", "amount"),
    Column("expired", "Expired", "amount"),
    Column("returned", "Refunded, disputed", "amount"),
    Column("other", "Other", "amount"),
    Column("deferred", "Still deferred", "amount"),
    Column("left_percent", "Left", "percent"),
)
_COLUMN: Final = {
    "sold": 0, "consumed": 1, "fees": 1, "expired": 2, "refunded": 3, "disputed": 3,
    "adjusted": 4, "transferred": 4, "granted": 4, "repaid": 1,
}  # fmt: skip


def read_deferred_revenue(*, as_of: datetime, currency: str) -> Report:
    """Paid credit by the month it was sold in, as it stood before `as_of`. Ties to what the lots hold."""
    sums = journal_sums(end=as_of, currency=currency, kinds=["PREPAID_LIABILITY"])
    cohorts: dict[date | None, list[Decimal]] = defaultdict(lambda: [ZERO] * 5)
    for one in sums:
        cohorts[one.cohort][_COLUMN[movement_of(one)]] += one.amount
    rows: list[list[Any]] = []
    for cohort in sorted(cohorts, key=lambda month: month or date.min):
        parts = cohorts[cohort]
        deferred = sum(parts, ZERO)
        rows.append([f"{cohort:%B %Y}" if cohort else "Not known", *parts, deferred, share(deferred, parts[0])])
    totals = column_totals(COLUMNS, rows)
    totals[-1] = share(totals[-2], totals[1])
    left = sum((lot.remaining for lot in open_lots_at(at=as_of, currency=currency) if lot.is_paid), ZERO)
    return Report(
        currency=currency,
        total=Figure("Deferred revenue", totals[-2]),
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("What is left of paid credit, lot by lot", totals[-2], left)],
        chart=Chart("Still deferred, by month of sale", [(row[0], row[-2]) for row in rows]),
        notes=("Months are of UTC. Fees paid from credit, and overdrafts it repaid, count as consumed.",),
    )
