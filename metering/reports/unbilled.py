"""Usage that is not charged: events that wait for a price, and what they are likely to be worth."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from metering.ingest.models import DeadLetter
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, column_totals

COLUMNS: Final = (
    Column("account", "Account"),
    Column("type", "Type of event"),
    Column("reason", "Why"),
    Column("events", "Events", "count"),
    Column("oldest", "Oldest", "moment"),
    Column("estimate", "Likely worth", "amount"),
)


def read_unbilled(*, as_of: datetime, currency: str) -> Report:
    """Events parked before `as_of` that are still not charged, by account, type and reason. Their worth is estimated: the
    mean of what the latest charged events of the type cost at the same account. Received = rated + parked + what
    was refused: `prove` says so."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"at": as_of, "currency": currency})
        found = cursor.fetchall()
    words = dict(DeadLetter.Reason.choices)
    rows = [
        [
            Ref("account", account_id, key),
            kind,
            words.get(reason, reason),
            events,
            oldest,
            None if mean is None else mean * events,
        ]
        for account_id, key, kind, reason, events, oldest, mean in found
    ]
    totals = column_totals(COLUMNS, rows)
    waiting = sum((Decimal(row[3]) for row in rows), ZERO)
    return Report(
        currency=currency,
        total=Figure("Events not charged", int(waiting), "count"),
        figures=[Figure("Likely worth", totals[5])],
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        chart=Chart("Waiting, by account and type", [(f"{row[0]}: {row[1]}", Decimal(row[3])) for row in rows[:12]], "count"),
        notes=("Add the price that is missing and replay them: they are charged as of their own time.",),
    )


# A type's worth is the mean of its latest charged events, a thousand at most: none of the events themselves is in a roll-up.
_WAITING: Final = """
    WITH waiting AS (
        SELECT d.account_id, a.key, e.type, d.reason, count(*) AS events, min(d.parked_at) AS oldest
        FROM metering_deadletter d JOIN metering_usageevent e ON e.bucket = d.bucket AND e.id = d.event_id
        JOIN wallets_account a ON a.id = d.account_id
        WHERE d.replayed_at IS NULL AND d.parked_at < %(at)s
        GROUP BY 1, 2, 3, 4
    )
    SELECT w.account_id, w.key, w.type, w.reason, w.events, w.oldest, (
        SELECT sum(c.amount) / nullif(count(DISTINCT t.id), 0) FROM (
            SELECT e.id, e.bucket FROM metering_usageevent e
            WHERE e.account_id = w.account_id AND e.type = w.type AND e.time < %(at)s
            ORDER BY e.time DESC LIMIT 1000
        ) t JOIN metering_charge c ON c.bucket = t.bucket AND c.event_id = t.id
        JOIN wallets_wallet x ON x.id = c.wallet_id AND x.currency = %(currency)s
    )
    FROM waiting w ORDER BY w.events DESC, w.key, w.type
"""
