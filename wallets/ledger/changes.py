"""How balances changed for other reasons than usage, day by day: what remains of a history when usage is thought away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from wallets.ledger.chart import WALLET_SIDE
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.money import ZERO

Kind = JournalEntry.Kind


@dataclass(slots=True)
class OtherChanges:
    """A wallet's balance before a time, and by how much each day changed it: grants, fees, expiry, transfers, corrections."""

    opening: Decimal = ZERO
    by_day: dict[date, Decimal] = field(default_factory=dict)


def changes_without_usage(*, zones: Mapping[int, str], start: datetime, end: datetime) -> dict[int, OtherChanges]:
    """For wallets by row id (`zones`: the time zone in which each counts its days), from `start` until before `end`.

    Two queries. Credit that usage gave back is usage; a fee that was given back is not.
    """
    found = {wallet_id: OtherChanges() for wallet_id in zones}
    if not found:
        return found
    keys: list[Any] = [list(zones), list(zones.values())]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT w.id, e.balance_after
               FROM unnest(%s::bigint[]) AS k(wallet_id) JOIN wallets_wallet w ON w.id = k.wallet_id
               CROSS JOIN LATERAL (
                   SELECT balance_after FROM wallets_journalentry
                   WHERE bucket = w.bucket AND wallet_id = w.id AND at < %s ORDER BY wallet_version DESC LIMIT 1
               ) e""",
            [keys[0], start],
        )
        for wallet_id, balance in cursor.fetchall():
            found[wallet_id].opening = balance
        cursor.execute(
            """SELECT e.wallet_id, (e.at AT TIME ZONE k.zone)::date, sum(p.amount)
               FROM unnest(%s::bigint[], %s::text[]) AS k(wallet_id, zone) JOIN wallets_wallet w ON w.id = k.wallet_id
               JOIN wallets_journalentry e ON e.bucket = w.bucket AND e.wallet_id = w.id
               JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id AND p.currency = e.currency
               JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = ANY(%s)
               WHERE e.at >= %s AND e.at < %s AND e.kind <> %s AND (e.kind <> %s OR EXISTS (
                   SELECT 1 FROM wallets_posting f JOIN wallets_ledgeraccount fa ON fa.id = f.ledger_account_id
                   WHERE f.bucket = e.bucket AND f.entry_id = e.id AND fa.kind = %s))
               GROUP BY 1, 2""",
            [*keys, [str(kind) for kind in WALLET_SIDE], start, end, Kind.USAGE, Kind.GIVE_BACK, LedgerAccount.Kind.FEES],
        )
        for wallet_id, day, amount in cursor.fetchall():
            found[wallet_id].by_day[day] = amount
    return found
