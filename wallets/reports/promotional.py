"""What given credit cost: booked when it is given, taken back when it expires, by kind and by month."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from wallets.ledger.days import JournalSum, journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals

COLUMNS: Final = (
    Column("kind", "Kind of credit"),
    Column("granted", "Given", "amount"),
    Column("expired", "Expired", "amount"),
    Column("other", "Taken back", "amount"),
    Column("used", "Used by customers", "amount"),
    Column("cost", "Cost", "amount"),
)
USED: Final = frozenset({"USAGE", "GIVE_BACK", "FEE"})
"""Entries by which customers use credit."""
_KINDS: Final = {"promotional": "Promotional", "trial": "Trial", "compensation": "Compensation", "plan": "Plan"}


def read_promotional_cost(*, start: datetime, end: datetime, currency: str) -> Report:
    """Given credit from `start` until before `end`. cost = given - expired - taken back. What was not use ties to the other
    side of the same entries: promotional cost, and the accounts that bear the rest."""
    sums = journal_sums(start=start, end=end, currency=currency, by_day=True)
    kinds: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    months: dict[str, Decimal] = defaultdict(lambda: ZERO)
    others = ZERO
    for one in sums:
        if one.account == "PROMOTIONAL_LIABILITY":
            kinds[one.lot_kind][_place(one)] += one.amount
        elif one.entry not in USED:
            others -= one.amount
        if one.account == "PROMOTIONAL_COST":
            months[f"{one.day:%B %Y}"] -= one.amount
    rows: list[list[Any]] = [
        [_KINDS.get(kind, kind or "Not known"), given, expired, other, used, given + expired + other]
        for kind, (given, expired, other, used) in sorted(kinds.items())
    ]
    totals = column_totals(COLUMNS, rows)
    cost = sum(months.values(), ZERO)
    return Report(
        currency=currency,
        total=Figure("Promotional cost booked", cost),
        figures=[Figure("Booked against other accounts", totals[-1] - cost)],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("Given credit but its use, from the other side of its entries", totals[-1], others)],
        chart=Chart("Promotional cost by month", list(months.items())),
        notes=("Credit that a plan or a bonus gave is booked against fees or discounts; the difference is shown.",),
    )


def _place(one: JournalSum) -> int:
    if one.entry == "GRANT":
        return 0
    if one.entry == "EXPIRY":
        return 1
    return 3 if one.entry in USED else 2
