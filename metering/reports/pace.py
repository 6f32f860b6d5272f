"""How fast wallets burn: what was charged in the last 24 hours, and in the seven days before, by whole hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """A wallet that usage is charged to. day: charged in the last 24 hours; week: in the seven days before; days_used: of
    these with any usage."""

    wallet_id: int
    account_id: int
    currency: str
    available: Decimal
    reference: Decimal
    day: Decimal
    week: Decimal
    days_used: int


def paces(*, at: datetime) -> Iterator[Pace]:
    """Every open wallet that was charged in the last eight days, `CHUNK` accounts a query."""
    end = at.replace(minute=0, second=0, microsecond=0)
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM wallets_account WHERE id > %s ORDER BY id LIMIT %s", [last, CHUNK])
            accounts = [row[0] for row in cursor]
            if not accounts:
                return
            cursor.execute(_PACES, {"accounts": accounts, "start": end - DAY - WEEK, "turn": end - DAY, "end": end})
            found = [Pace(*row) for row in cursor]
        yield from found
        last = accounts[-1]


_PACES: Final = """
    SELECT w.id, w.account_id, w.currency, w.balance - w.held, coalesce(w.own_reference, w.reference_balance),
           u.day, u.week, u.days_used
    FROM wallets_account a
    JOIN wallets_wallet w ON w.bucket = a.bucket AND w.account_id = a.id AND w.is_default AND w.status = 'ACTIVE'
    JOIN LATERAL (
        SELECT coalesce(sum(h.amount) FILTER (WHERE h.hour >= %(turn)s), 0) AS day,
               coalesce(sum(h.amount) FILTER (WHERE h.hour < %(turn)s), 0) AS week,
               count(DISTINCT date_trunc('day', h.hour)) FILTER (WHERE h.hour < %(turn)s) AS days_used
        FROM metering_hourlyusage h
        WHERE h.bucket = a.bucket AND h.account_id = a.id AND h.currency = w.currency
          AND h.hour >= %(start)s AND h.hour < %(end)s
    ) u ON u.day > 0 OR u.week > 0
    WHERE a.id = ANY(%(accounts)s)
    ORDER BY w.id"""
