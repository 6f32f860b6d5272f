"""What customers owe us: overdrafts, and credit whose payment is in dispute."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, Tie, column_totals

COLUMNS: Final = (
    Column("account", "Account"),
    Column("overdraft", "Overdraft", "amount"),
    Column("since", "Overdrawn since", "date"),
    Column("days", "For", "days"),
)


def read_receivables(*, as_of: datetime, currency: str) -> Report:
    """Wallets that owed before `as_of`, the largest first, and what the provider withholds over disputes. Ties to the
    accounts of receivables in the journal."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDRAWN, {"at": as_of, "currency": currency})
        rows: list[list[Any]] = [
            [Ref("wallet", wallet_id, key), owed, since.date(), Decimal((as_of - since).days)]
            for wallet_id, key, owed, since in cursor.fetchall()
        ]
    totals = column_totals(COLUMNS, rows)
    sums = journal_sums(end=as_of, currency=currency, kinds=["OVERDRAFT_RECEIVABLE", "DISPUTES_RECEIVABLE", "DISPUTED_CREDIT"])
    owed = {
        kind: -sum((one.amount for one in sums if one.account == kind), ZERO)
        for kind in ("OVERDRAFT_RECEIVABLE", "DISPUTES_RECEIVABLE", "DISPUTED_CREDIT")
    }
    return Report(
        currency=currency,
        total=Figure("Overdrafts", totals[1]),
        figures=[
            Figure("Withheld over disputes", owed["DISPUTES_RECEIVABLE"]),
            Figure("Credit frozen in dispute", -owed["DISPUTED_CREDIT"]),
            Figure("Wallets", len(rows), "count"),
        ],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        ties=[Tie("Overdrafts", totals[1], owed["OVERDRAFT_RECEIVABLE"])],
        chart=Chart("The largest overdrafts", [(str(row[0]), row[1]) for row in rows[:12]]),
        notes=("The next credit a customer buys repays the overdraft first.",),
    )


# A wallet's overdraft then is what its last entry before says; only wallets that owe now or were charged since can have owed.
_OVERDRAWN: Final = """
    WITH touched AS (
        SELECT DISTINCT wallet_id FROM wallets_journalentry WHERE at >= %(at)s AND currency = %(currency)s
        UNION
        SELECT id FROM wallets_wallet WHERE overdraft > 0 AND currency = %(currency)s
    )
    SELECT w.id, a.key, last.overdraft_after, coalesce(clean.at, first.at)
    FROM touched t JOIN wallets_wallet w ON w.id = t.wallet_id JOIN wallets_account a ON a.id = w.account_id
    CROSS JOIN LATERAL (
        SELECT overdraft_after, wallet_version FROM wallets_journalentry e
        WHERE e.bucket = w.bucket AND e.wallet_id = w.id AND e.at < %(at)s ORDER BY wallet_version DESC LIMIT 1
    ) last
    LEFT JOIN LATERAL (
        SELECT n.at FROM wallets_journalentry c JOIN wallets_journalentry n
            ON n.bucket = c.bucket AND n.wallet_id = c.wallet_id AND n.wallet_version = c.wallet_version + 1
        WHERE c.bucket = w.bucket AND c.wallet_id = w.id AND c.wallet_version < last.wallet_version AND c.overdraft_after = 0
        ORDER BY c.wallet_version DESC LIMIT 1
    ) clean ON true
    CROSS JOIN LATERAL (
        SELECT at FROM wallets_journalentry f WHERE f.bucket = w.bucket AND f.wallet_id = w.id ORDER BY wallet_version LIMIT 1
    ) first
    WHERE last.overdraft_after > 0
    ORDER BY last.overdraft_after DESC, w.id
"""
