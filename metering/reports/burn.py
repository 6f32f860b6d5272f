"""Who burns how fast, who runs out when, and whose burn doubled."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection

from metering.reports.used import used_by
from metering.usage.days import usage_rows_sql
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, column_totals, share

WEEK: Final = timedelta(days=7)
SOON: Final = 7  # days
FAR: Final = 36_500  # days
DOUBLED: Final = Decimal(2)
COLUMNS: Final = (
    Column("account", "Account"),
    Column("available", "Available", "amount"),
    Column("daily", "A day, last 7", "amount"),
    Column("daily_before", "A day, the 7 before", "amount"),
    Column("change_percent", "Change", "percent"),
    Column("days_left", "Lasts for", "days"),
    Column("runs_out", "Runs out about", "date"),
)


class RunsOut(NamedTuple):
    """A customer whose credit is used up in `days` at this week's pace."""

    account_id: int
    account: str
    available: Decimal
    days: Decimal


def run_out_first(*, as_of: datetime, currency: str, limit: int) -> list[RunsOut]:
    """Who runs out first."""
    rows = [row for row in _rows(as_of, currency) if row[5] is not None]
    rows.sort(key=lambda row: (row[5], str(row[0])))
    return [RunsOut(row[0].pk, row[0].text, row[1], row[5]) for row in rows[:limit]]


def read_run_out(*, as_of: datetime, currency: str) -> Report:
    """Wallets with usage in the last 14 days, who runs out first on top. The burn is of the hours before `as_of`; what is
    available is what it is now."""
    rows = _rows(as_of, currency)
    rows.sort(key=lambda row: (row[5] is None, row[5] or ZERO, str(row[0])))
    soon = [row for row in rows if row[5] is not None and row[5] <= SOON]
    return _report(
        rows,
        currency,
        as_of,
        Figure("Run out within a week", len(soon), "count"),
        "Days left, the fewest first",
        [(str(row[0]), row[5]) for row in rows if row[5] is not None],
        "days",
    )


def read_doubled(*, as_of: datetime, currency: str) -> Report:
    """Accounts that used at least twice as much in the last seven days as in the seven before, the largest change first."""
    rows = [row for row in _rows(as_of, currency) if row[2] >= row[3] * DOUBLED and row[2] > 0]
    rows.sort(key=lambda row: (row[3] - row[2], str(row[0])))
    return _report(
        rows,
        currency,
        as_of,
        Figure("Burn doubled", len(rows), "count"),
        "More a day than the week before",
        [(str(row[0]), row[2] - row[3]) for row in rows],
        "amount",
    )


def _report(rows: list[list[Any]], currency: str, as_of: datetime, total: Figure, caption: str, bars: Any, kind: Any) -> Report:
    totals = column_totals(COLUMNS, rows)
    totals[4] = share(totals[2] - totals[3], totals[3])
    burnt = sum((one.amount for one in used_by("meter", start=as_of - WEEK, end=as_of, currency=currency)), ZERO)
    return Report(
        currency=currency,
        total=total,
        figures=[Figure("All usage, last 7 days", burnt)],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        chart=Chart(caption, bars[:12], kind),
        notes=("Whole hours before the moment asked for. A wallet lasts for what is available by a day's mean of the week.",),
    )


def _rows(as_of: datetime, currency: str) -> list[list[Any]]:
    end = as_of.replace(minute=0, second=0, microsecond=0)
    last, values = usage_rows_sql(start=end - WEEK, end=end, currency=currency, by_account=True)
    before, more = usage_rows_sql(start=end - 2 * WEEK, end=end - WEEK, currency=currency, by_account=True)
    with connection.cursor() as cursor:
        cursor.execute(_BURN.format(last=last, before=before), [*values, *more, currency])
        found = cursor.fetchall()
    rows = []
    for account_id, key, available, last, before in found:
        left = max(available, ZERO) / (last / 7) if last > 0 else None
        gone = (as_of + timedelta(seconds=int(left * 86_400))).date() if left is not None and left < FAR else None
        rows.append(
            [Ref("account", account_id, key), available, last / 7, before / 7, share(last - before, before), left, gone]
        )
    return rows


_BURN: Final = """
    WITH used AS (
        SELECT account_id, sum(last) AS last, sum(before) AS before FROM (
            SELECT account_id, amount AS last, 0 AS before FROM ({last}) AS l
            UNION ALL
            SELECT account_id, 0, amount FROM ({before}) AS b
        ) both_weeks GROUP BY account_id
    )
    SELECT a.id, a.key, coalesce(sum(w.balance - w.held), 0), u.last, u.before
    FROM used u JOIN wallets_account a ON a.id = u.account_id
    LEFT JOIN wallets_wallet w ON w.account_id = a.id AND w.currency = %s AND w.status <> 'CLOSED'
    GROUP BY a.id, a.key, u.last, u.before ORDER BY a.key
"""
