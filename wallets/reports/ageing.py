"""How old open credit is, when it ends, and which of it was bought in excess: what almost expires."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, Tie, column_totals, share
from wallets.reports.standing import StandingLot, open_lots_at

LADDER: Final = ((30, "within 30 days"), (60, "in 31 to 60 days"), (90, "in 61 to 90 days"), (365, "in 91 to 365 days"))
LATER: Final = "later"
NEVER: Final = "never"
AGES: Final = ((30, "up to 30 days"), (60, "31 to 60 days"), (90, "61 to 90 days"), (180, "91 to 180 days"))
OLDER: Final = "over 180 days"
LADDER_COLUMNS: Final = (
    Column("ends", "Ends"),
    Column("lots", "Lots", "count"),
    Column("paid", "Paid", "amount"),
    Column("given", "Given", "amount"),
    Column("open", "Open", "amount"),
)
AGE_COLUMNS: Final = (Column("age", "Age"), *LADDER_COLUMNS[1:])
OVER_BOUGHT_COLUMNS: Final = (
    Column("lot", "Lot"),
    Column("account", "Account"),
    Column("kind", "Kind"),
    Column("amount", "Granted", "amount"),
    Column("remaining", "Left", "amount"),
    Column("left_percent", "Left", "percent"),
    Column("expires", "Ends", "date"),
)
SOON: Final = timedelta(days=30)


def read_expiry_ladder(*, as_of: datetime, currency: str) -> Report:
    """Open credit by how soon it ends. Ties to what the journal says is held, paid and given."""
    return _steps(
        as_of,
        currency,
        LADDER_COLUMNS,
        lambda lot: _step(lot, as_of),
        [*(text for _, text in LADDER), LATER, NEVER],
        caption="Open credit by how soon it ends",
    )


def read_credit_ageing(*, as_of: datetime, currency: str) -> Report:
    """Open credit by how long ago it was granted. Ties as the ladder does."""
    return _steps(
        as_of,
        currency,
        AGE_COLUMNS,
        lambda lot: _age(lot, as_of),
        [*(text for _, text in AGES), OLDER],
        caption="Open credit by how long ago it was granted",
    )


def read_over_bought(*, as_of: datetime, currency: str) -> Report:
    """Credit that ends within 30 days with more than half of it left: bought, or given, in excess. The largest remainder
    first."""
    lots = open_lots_at(at=as_of, currency=currency)
    excess = [
        lot for lot in lots if lot.expires_at and as_of <= lot.expires_at < as_of + SOON and lot.remaining * 2 > lot.amount
    ]
    excess.sort(key=lambda lot: (-lot.remaining, lot.pk))
    rows: list[list[Any]] = [
        [
            Ref("lot", lot.pk, lot.public_id),
            Ref("account", lot.account_id, lot.account),
            lot.kind,
            lot.amount,
            lot.remaining,
            share(lot.remaining, lot.amount),
            lot.expires_at and lot.expires_at.date(),
        ]
        for lot in excess
    ]
    whole = sum((lot.remaining for lot in lots), ZERO)
    totals = column_totals(OVER_BOUGHT_COLUMNS, rows)
    return Report(
        currency=currency,
        total=Figure("Ends within 30 days, mostly unused", totals[4]),
        figures=[Figure("Of open credit", share(totals[4], whole), "percent")],
        columns=OVER_BOUGHT_COLUMNS,
        rows=rows,
        totals=[*totals[:5], None, None],
        ties=[_tie(as_of, currency, whole)],
        chart=Chart("The largest remainders", [(lot.account, lot.remaining) for lot in excess[:12]]),
        notes=("Customers who let credit expire have bought too much, or have left: talk to them before the day.",),
    )


def _steps(
    as_of: datetime,
    currency: str,
    columns: tuple[Column, ...],
    step: Callable[[StandingLot], str],
    names: list[str],
    *,
    caption: str,
) -> Report:
    lots = open_lots_at(at=as_of, currency=currency)
    found: dict[str, list[StandingLot]] = defaultdict(list)
    for lot in lots:
        found[step(lot)].append(lot)
    rows: list[list[Any]] = []
    for name in names:
        paid = sum((lot.remaining for lot in found[name] if lot.is_paid), ZERO)
        given = sum((lot.remaining for lot in found[name] if not lot.is_paid), ZERO)
        rows.append([name, len(found[name]), paid, given, paid + given])
    totals = column_totals(columns, rows)
    return Report(
        currency=currency,
        total=Figure("Open credit", totals[-1]),
        figures=[Figure("Paid", totals[2]), Figure("Given", totals[3])],
        columns=columns,
        rows=rows,
        totals=totals,
        ties=[_tie(as_of, currency, totals[-1])],
        chart=Chart(caption, [(row[0], row[-1]) for row in rows]),
    )


def _tie(as_of: datetime, currency: str, whole: Decimal) -> Tie:
    held = journal_sums(end=as_of, currency=currency, kinds=["PREPAID_LIABILITY", "PROMOTIONAL_LIABILITY"])
    return Tie("Open credit", whole, sum((one.amount for one in held), ZERO))


def _step(lot: StandingLot, as_of: datetime) -> str:
    if lot.expires_at is None:
        return NEVER
    return next((text for days, text in LADDER if lot.expires_at <= as_of + timedelta(days=days)), LATER)


def _age(lot: StandingLot, as_of: datetime) -> str:
    return next((text for days, text in AGES if lot.granted_at > as_of - timedelta(days=days)), OLDER)
