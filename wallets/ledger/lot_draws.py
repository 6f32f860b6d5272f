"""What lots went to, as their owner reads it: by day and by what was paid with them, newest first. However often a lot was
drawn, a question reads so many postings and no more, along the index posting_of_lot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from wallets.ledger.models import LedgerAccount

Kind = LedgerAccount.Kind

PER_PAGE: Final = 5_000  # postings
IN_ALL: Final = 100_000
MOSTLY: Final = 500  # postings a lot
NEWEST: Final = 2**63 - 1
# What came back on these made the lot, or is no news to whoever owns it.
ONE_WAY: Final = (Kind.TRANSFERS_IN_TRANSIT, Kind.ADJUSTMENTS)


@dataclass(frozen=True, slots=True)
class LotDraw:
    """What went from a lot to one thing; negative: came back. kind: of the account on the other side; of: its qualifier, a
    meter's code; day: in the zone asked for, None for all days."""

    kind: str
    of: str
    amount: Decimal
    day: date | None = None


def draws_by_day(
    *, bucket: int, lot_id: int, zone: tzinfo, before: int = NEWEST, most: int = PER_PAGE
) -> tuple[list[LotDraw], int | None]:
    """What a lot went to by day, newest first, from its latest `most` postings of entries before one; and the entry to read on
    before, None at the end. A day that is cut goes on there. One query."""
    rows = _rows(_BY_DAY, {"bucket": bucket, "lot": lot_id, "before": before, "most": most, "zone": str(zone)})
    older = rows[0][5] if rows and rows[0][4] >= most else None
    return [LotDraw(kind, of, amount, day) for day, kind, of, amount, _, _ in rows], older


def draws_in_all(*, bucket: int, lot_id: int, most: int = IN_ALL) -> tuple[list[LotDraw], bool]:
    """What a lot went to, the most first, and whether that is all of it; else it is what its latest `most` postings say."""
    rows = _rows(_IN_ALL, {"bucket": bucket, "lot": lot_id, "most": most})
    return [LotDraw(kind, of, amount) for kind, of, amount, _ in rows], not rows or rows[0][3] < most


def mostly_for(*, bucket: int, lot_ids: Collection[int]) -> dict[int, list[str]]:
    """The meters on which the latest draws of each lot went, the most first, by lot. One query."""
    found: dict[int, list[str]] = defaultdict(list)
    for lot_id, code in _rows(_MOSTLY, {"bucket": bucket, "lots": list(lot_ids), "most": MOSTLY}):
        found[lot_id].append(code)
    return found


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked | {"one_way": [str(kind) for kind in ONE_WAY]})
        return list(cursor.fetchall())


# The oldest entry of what was read may not be there with all its postings: the next page reads it from its beginning.
_BY_DAY: Final = """
    WITH latest AS MATERIALIZED (
        SELECT entry_id, contra_id, amount FROM wallets_posting
        WHERE bucket = %(bucket)s AND lot_id = %(lot)s AND entry_id < %(before)s
        ORDER BY entry_id DESC LIMIT %(most)s),
    bounds AS (SELECT count(*) AS found, min(entry_id) AS oldest FROM latest)
    SELECT (e.at AT TIME ZONE %(zone)s)::date AS day, a.kind, a.qualifier, -sum(l.amount), b.found, b.oldest + 1
    FROM latest l CROSS JOIN bounds b
    JOIN wallets_journalentry e ON e.bucket = %(bucket)s AND e.id = l.entry_id
    JOIN wallets_ledgeraccount a ON a.id = l.contra_id
    WHERE (b.found < %(most)s OR l.entry_id > b.oldest) AND (l.amount < 0 OR a.kind <> ALL(%(one_way)s))
    GROUP BY day, a.kind, a.qualifier, b.found, b.oldest HAVING sum(l.amount) <> 0
    ORDER BY day DESC, sum(l.amount), a.kind, a.qualifier"""

_IN_ALL: Final = """
    WITH latest AS MATERIALIZED (
        SELECT contra_id, amount FROM wallets_posting
        WHERE bucket = %(bucket)s AND lot_id = %(lot)s ORDER BY entry_id DESC LIMIT %(most)s)
    SELECT a.kind, a.qualifier, -sum(l.amount), (SELECT count(*) FROM latest)
    FROM latest l JOIN wallets_ledgeraccount a ON a.id = l.contra_id
    WHERE l.amount < 0 OR a.kind <> ALL(%(one_way)s)
    GROUP BY a.kind, a.qualifier HAVING sum(l.amount) <> 0 ORDER BY sum(l.amount), a.kind, a.qualifier"""

_MOSTLY: Final = """
    SELECT lot.id, a.qualifier
    FROM unnest(%(lots)s::bigint[]) AS lot(id)
    CROSS JOIN LATERAL (
        SELECT contra_id, amount FROM wallets_posting p
        WHERE p.bucket = %(bucket)s AND p.lot_id = lot.id ORDER BY p.entry_id DESC LIMIT %(most)s) latest
    JOIN wallets_ledgeraccount a ON a.id = latest.contra_id AND a.kind IN ('REVENUE', 'ALLOWANCE_USED')
    GROUP BY lot.id, a.qualifier HAVING sum(latest.amount) < 0 ORDER BY lot.id, sum(latest.amount), a.qualifier"""
