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
_KINDS: Final = {"promotional": "Promotional", "trial": "Trial", "compensation": "Compensation", "plan": "Plan"}


def read_promotional_cost(*, start: datetime, end: datetime, currency: str) -> Report:
    """Given credit from `start` until before `end`. cost = given - expired - taken back: what the account of promotional cost
    says. It ties to that account, bonus beside sold credit left out (its cost is a discount)."""
    sums = journal_sums(start=start, end=end, currency=currency, kinds=["PROMOTIONAL_LIABILITY"])
    kinds: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    for one in sums:
        kinds[one.lot_kind][_place(one)] += one.amount
    rows: list[list[Any]] = [
        [_KINDS.get(kind, kind or "Not known"), given, expired, other, used, given + expired + other]
        for kind, (given, expired, other, used) in sorted(kinds.items())
    ]
    totals = column_totals(COLUMNS, rows)
    off = journal_sums(start=start, end=end, currency=currency, kinds=["PROMOTIONAL_COST"])
    cost = -sum((one.amount for one in off), ZERO)
    # Given credit whose other side is another account: adjustments by hand, transfers, plans that were paid.
    elsewhere = totals[-1] - cost
    months: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in journal_sums(start=start, end=end, currency=currency, kinds=["PROMOTIONAL_COST"], by_day=True):
        months[f"{one.day:%B %Y}"] -= one.amount
    return Report(
        currency=currency,
        total=Figure("Promotional cost booked", cost),
        figures=[Figure("Booked against other accounts", elsewhere)],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("Promotional cost, by month", sum(months.values(), ZERO), cost)],
        chart=Chart("Promotional cost by month", list(months.items())),
        notes=("Credit that a plan or a bonus gave is booked against fees or discounts; the difference is shown.",),
    )


def _place(one: JournalSum) -> int:
    if one.entry == "GRANT":
        return 0
    if one.entry == "EXPIRY":
        return 1
    return 3 if one.entry in {"USAGE", "GIVE_BACK", "FEE"} else 2
