"""Breakage: paid credit that expired unused, and how much of what is still open is likely to."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals, share
from wallets.reports.roll_forward import CONSUMED, movement_of
from wallets.reports.standing import open_lots_at

COLUMNS: Final = (
    Column("month", "Month"),
    Column("booked", "Breakage booked", "amount"),
)


def read_breakage(*, start: datetime, end: datetime, currency: str) -> Report:
    """Breakage booked from `start` until before `end`, by month; and what is to be expected of the paid credit that was
    open then and has an end: the share of ended credit that broke so far. Ties to what left paid credit."""
    booked = journal_sums(start=start, end=end, currency=currency, kinds=["BREAKAGE"], by_day=True)
    months: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in booked:
        months[f"{one.day:%B %Y}"] += one.amount
    rows: list[list[Any]] = [[month, amount] for month, amount in months.items()]
    totals = column_totals(COLUMNS, rows)
    taken = journal_sums(start=start, end=end, currency=currency, kinds=["PREPAID_LIABILITY"])
    expired = -sum((one.amount for one in taken if one.contra == "BREAKAGE"), ZERO)
    ever = journal_sums(end=end, currency=currency, kinds=["PREPAID_LIABILITY"])
    broken = -sum((one.amount for one in ever if one.contra == "BREAKAGE"), ZERO)
    used = -sum((one.amount for one in ever if movement_of(one) in CONSUMED), ZERO)
    ending = sum((lot.remaining for lot in open_lots_at(at=end, currency=currency) if lot.is_paid and lot.expires_at), ZERO)
    rate = broken / (broken + used) if broken + used else ZERO
    return Report(
        currency=currency,
        total=Figure("Breakage booked", totals[-1]),
        figures=[
            Figure("Expected of open credit", ending * rate),
            Figure("Open credit with an end", ending),
            Figure("Share that broke so far", share(broken, broken + used), "percent"),
        ],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("Breakage of these days, as it left paid credit", totals[-1], expired)],
        chart=Chart("Breakage by month", [(row[0], row[1]) for row in rows]),
        notes=("Expected: of the paid credit used or expired so far, the share that expired; of what is open and has an end.",),
    )
