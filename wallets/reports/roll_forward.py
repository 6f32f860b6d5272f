"""The roll-forward of what we owe: opening + movements = closing, by class of credit, from the journal."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.days import JournalSum, journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals

CLASSES: Final = {
    "PREPAID_LIABILITY": "Paid credit (deferred revenue)",
    "PROMOTIONAL_LIABILITY": "Given credit",
    "OVERDRAFT_RECEIVABLE": "Overdrafts (owed to us)",
}
COLUMNS: Final = (
    Column("class", "Class of credit"),
    Column("opening", "Opening", "amount"),
    Column("sold", "Sold", "amount"),
    Column("granted", "Given", "amount"),
    Column("repaid", "Overdraft repaid", "amount", quiet=True),
    Column("consumed", "Consumed", "amount"),
    Column("fees", "Fees", "amount", quiet=True),
    Column("expired", "Expired", "amount"),
    Column("refunded", "Refunded", "amount", quiet=True),
    Column("disputed", "Disputed", "amount", quiet=True),
    Column("adjusted", "Adjusted", "amount", quiet=True),
    Column("transferred", "Transferred", "amount", quiet=True),
    Column("closing", "Closing", "amount"),
)
MOVEMENTS: Final = tuple(column.name for column in COLUMNS[2:-1])
CONSUMED: Final = frozenset({"consumed", "fees"})
"""Movements that are use by the customer."""
_OF_ENTRY: Final = {
    "USAGE": "consumed",
    "GIVE_BACK": "consumed",
    "FEE": "fees",
    "EXPIRY": "expired",
    "REFUND": "refunded",
    "DISPUTE": "disputed",
    "TRANSFER_OUT": "transferred",
    "TRANSFER_IN": "transferred",
}
_OF_GRANT: Final = {"PREPAID_LIABILITY": "sold", "PROMOTIONAL_LIABILITY": "granted", "OVERDRAFT_RECEIVABLE": "repaid"}


def read_roll_forward(*, start: datetime, end: datetime, currency: str) -> Report:
    """What we owed before `start`, what changed it, what we owe before `end`. Ties to the wallets' side of the journal."""
    kinds = sorted(wallet_side_kinds())
    before = journal_sums(end=start, currency=currency, kinds=kinds)
    during = journal_sums(start=start, end=end, currency=currency, kinds=kinds, by_day=True)
    opening = _by_class(before)
    moved: dict[str, dict[str, Decimal]] = {kind: defaultdict(lambda: ZERO) for kind in CLASSES}
    for one in during:
        moved[one.account][movement_of(one)] += one.amount
    rows: list[list[Any]] = []
    for kind, title in CLASSES.items():
        changes = [moved[kind][name] for name in MOVEMENTS]
        rows.append([title, opening[kind], *changes, opening[kind] + sum(changes, ZERO)])
    totals = column_totals(COLUMNS, rows)
    owed = journal_sums(end=end, currency=currency, kinds=kinds)
    days: dict[str, Decimal] = {}
    level = sum(opening.values(), ZERO)
    for one in during:
        level += one.amount
        days[f"{one.day:%-d %b}"] = level
    return Report(
        currency=currency,
        total=Figure("Owed to customers at the end", totals[-1]),
        figures=[Figure("Paid", rows[0][-1]), Figure("Given", rows[1][-1]), Figure("Owed to us", -rows[2][-1])],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("Closing", totals[-1], sum((one.amount for one in owed), ZERO))],
        chart=Chart("What we owed customers at the end of each day", list(days.items())),
        notes=(
            "Paid credit is deferred revenue; given credit was not sold. An overdraft is negative: the customer owes it.",
            "Adjusted holds corrections, credit taken back and reversals.",
        ),
    )


def movement_of(one: JournalSum) -> str:
    """Which column a posting on the wallets' side belongs to. A fee is told by its other side, else the kind of entry
    decides."""
    if one.contra == "FEES":
        return "fees"
    if one.contra == "OVERDRAFT_RECEIVABLE":
        return "repaid"
    if one.entry == "GRANT":
        return _OF_GRANT[one.account]
    return _OF_ENTRY.get(one.entry, "adjusted")


def _by_class(sums: list[JournalSum]) -> dict[str, Decimal]:
    found = dict.fromkeys(CLASSES, ZERO)
    for one in sums:
        found[one.account] += one.amount
    return found
