"""Where the money burns: which endpoints take most of it, and which customers depend on a single one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from metering.reports.used import NONE, usage_ties
from metering.usage.days import usage_rows_sql
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, column_totals, share

CHARTED: Final = 12
SINGLE: Final = 90  # percent
ROUTE_COLUMNS: Final = (
    Column("route", "Route"),
    Column("revenue", "Revenue", "amount"),
    Column("percent", "Of all", "percent"),
    Column("accounts", "Accounts", "count"),
    Column("top_account", "Largest customer"),
    Column("top_percent", "Its part", "percent"),
)
CUSTOMER_COLUMNS: Final = (
    Column("account", "Account"),
    Column("revenue", "Revenue", "amount"),
    Column("routes", "Routes", "count"),
    Column("top_route", "Largest route"),
    Column("top_percent", "Its part", "percent"),
)


def read_routes(*, start: datetime, end: datetime, currency: str, by: str = "endpoint") -> Report:
    """Routes by what they bring, and how much of each depends on its largest customer. by: a dimension's name."""
    routes: dict[str, list[tuple[Decimal, Ref]]] = {}
    for account_id, key, route, amount in _pairs(start, end, currency, by):
        routes.setdefault(route, []).append((amount, Ref("account", account_id, key)))
    whole = sum((amount for users in routes.values() for amount, _ in users), ZERO)
    rows: list[list[Any]] = []
    for route, users in routes.items():
        amount = sum((one for one, _ in users), ZERO)
        most, who = max(users, key=lambda one: (one[0], -one[1].pk))
        rows.append([route, amount, share(amount, whole), len(users), who, share(most, amount)])
    rows.sort(key=lambda row: (-row[1], row[0]))
    totals = column_totals(ROUTE_COLUMNS, rows)
    totals[3] = totals[4] = None
    ties, notes = usage_ties(amount=whole, start=start, end=end, currency=currency)
    return Report(
        currency=currency,
        total=Figure("Revenue", whole),
        figures=[
            Figure("Part of the largest route", rows[0][2] if rows else None, "percent"),
            Figure("Routes", len(rows), "count"),
        ],
        columns=ROUTE_COLUMNS,
        rows=rows,
        totals=totals,
        ties=ties,
        chart=Chart("Revenue by route", [(row[0], row[1]) for row in rows[:CHARTED]]),
        notes=[*notes, f"Usage without this dimension is under “{NONE}”."],
    )


def read_customers_by_route(*, start: datetime, end: datetime, currency: str, by: str = "endpoint") -> Report:
    """Customers, and how much of their usage is one route: those that depend on a single one first."""
    customers: dict[Ref, list[tuple[Decimal, str]]] = {}
    for account_id, key, route, amount in _pairs(start, end, currency, by):
        customers.setdefault(Ref("account", account_id, key), []).append((amount, route))
    rows: list[list[Any]] = []
    for who, routes in customers.items():
        amount = sum((one for one, _ in routes), ZERO)
        most, route = max(routes)
        rows.append([who, amount, len(routes), route, share(most, amount)])
    rows.sort(key=lambda row: (-(row[4] or ZERO), -row[1], str(row[0])))
    totals = column_totals(CUSTOMER_COLUMNS, rows)
    totals[2] = None
    ties, notes = usage_ties(amount=totals[1], start=start, end=end, currency=currency)
    single = sum(1 for row in rows if (row[4] or ZERO) >= SINGLE)
    return Report(
        currency=currency,
        total=Figure("Use one route for 90 % or more", single, "count"),
        figures=[Figure("Revenue", totals[1])],
        columns=CUSTOMER_COLUMNS,
        rows=rows,
        totals=totals,
        ties=ties,
        chart=Chart(
            "Part of the largest route, in percent", [(str(row[0]), row[4] or ZERO) for row in rows[:CHARTED]], "percent"
        ),
        notes=notes,
    )


def _pairs(start: datetime, end: datetime, currency: str, by: str) -> list[tuple[int, str, str, Decimal]]:
    rows, values = usage_rows_sql(start=start, end=end, currency=currency, by_account=True)
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS.format(rows=rows), [by, NONE, *values])
        found: list[tuple[int, str, str, Decimal]] = cursor.fetchall()
    return found


_PAIRS: Final = """
    SELECT u.account_id, a.key, u.route, u.amount FROM (
        SELECT account_id, coalesce(dimensions ->> %s, %s) AS route, sum(amount) AS amount
        FROM ({rows}) AS h GROUP BY 1, 2
    ) u JOIN wallets_account a ON a.id = u.account_id
    ORDER BY u.amount DESC, a.key, u.route
"""
