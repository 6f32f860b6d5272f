"""Credit lots as they stood at a moment: what is left now, and what was posted since put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection


@dataclass(frozen=True, slots=True)
class StandingLot:
    """A lot of money that held something at the moment. granted_at: when it was granted; account: its key."""

    pk: int
    public_id: str
    kind: str
    account_id: int
    account: str
    amount: Decimal
    remaining: Decimal
    granted_at: datetime
    expires_at: datetime | None

    @property
    def is_paid(self) -> bool:
        """Whether it was sold."""
        return self.kind == "paid"


def open_lots_at(*, at: datetime, currency: str) -> list[StandingLot]:
    """Lots of wallets in this currency that held credit before `at`, the soonest to end first."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"at": at, "currency": currency})
        return [StandingLot(*row) for row in cursor.fetchall()]


# Postings since then are few for a recent moment: the index on the time of entries leaves the others out.
_STANDING: Final = """
    WITH since AS MATERIALIZED (
        SELECT p.lot_id, sum(p.amount) AS amount
        FROM wallets_journalentry e JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
        WHERE e.at >= %(at)s AND e.currency = %(currency)s AND p.lot_id IS NOT NULL AND p.currency = e.currency
        GROUP BY p.lot_id
    ), touched AS (
        SELECT id, 0::numeric AS amount FROM wallets_creditlot WHERE state = 'OPEN' AND unit_meter = ''
        UNION ALL
        SELECT lot_id, amount FROM since
    ), stood AS (
        SELECT id, sum(amount) AS since FROM touched GROUP BY id
    )
    SELECT l.id, l.public_id, l.kind, a.id, a.key, l.amount, l.remaining - s.since, l.created_at, l.expires_at
    FROM stood s JOIN wallets_creditlot l ON l.id = s.id
    JOIN wallets_wallet w ON w.id = l.wallet_id AND w.currency = %(currency)s
    JOIN wallets_account a ON a.id = w.account_id
    WHERE l.unit_meter = '' AND l.remaining - s.since > 0
    ORDER BY l.expires_at NULLS LAST, l.id
"""
