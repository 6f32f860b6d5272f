"""Which entries a wallet's next statement covers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from wallets.bulk import array_literal
from wallets.money import ZERO
from wallets.months import month_of

SETTLE: Final = timedelta(hours=1)  # after its end, for what was under way; what comes later stands on the next statement
SOME: Final = 5_000


@dataclass(frozen=True, slots=True)
class Due:
    """A wallet whose period has ended and has no statement yet."""

    wallet_id: int
    period_start: datetime
    period_end: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Span:
    """What a statement will cover: entries with versions after `low` up to and with `high`."""

    wallet_id: int
    bucket: int
    period_start: datetime
    period_end: datetime
    time_zone: str
    previous_id: int | None
    low: int
    high: int
    opening: Decimal
    closing: Decimal


def month_end(start: datetime, zone: str) -> datetime:
    """When the calendar month of the zone ends that a period beginning at `start` belongs to; a day on, so that one that
    began a few hours before a month, in another zone, is not those hours."""
    return month_of(start + timedelta(days=1), zone)[1]


def due_wallets(*, at: datetime, wallet_ids: Collection[int] | None = None) -> Iterator[Due]:
    """Wallets for which a calendar month of their account's zone has ended (and settled) without a statement, by row id; each
    with the first such month. One that holds nothing and owes nothing gets its next statement for the month in which something
    happens again. wallet_ids: only of these."""
    only = None if wallet_ids is None else array_literal(sorted(wallet_ids))
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [last, only, only, SOME])
            rows = cursor.fetchall()
        for wallet_id, zone, ended, balance, next_at in rows:
            if next_at is None and not balance:
                continue
            start = ended if ended is not None and (balance or next_at < ended) else month_of(next_at, zone)[0]
            end = month_end(start, zone)
            if end + SETTLE <= at:
                yield Due(wallet_id, start, end, zone)
        if len(rows) < SOME:
            return
        last = rows[-1][0]


_DUE: Final = """
    SELECT w.id, a.time_zone, s.period_end, coalesce(s.closing_balance, 0), next.at
    FROM wallets_wallet w
    JOIN wallets_account a ON a.id = w.account_id
    LEFT JOIN LATERAL (
        SELECT * FROM wallets_statement s WHERE s.wallet_id = w.id ORDER BY s.period_end DESC LIMIT 1
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT e.at FROM wallets_journalentry e
        WHERE e.wallet_id = w.id AND e.wallet_version = coalesce(s.closing_version, 0) + 1
    ) next ON true
    WHERE w.id > %s AND (%s::bigint[] IS NULL OR w.id = ANY(%s::bigint[]))
    ORDER BY w.id LIMIT %s
"""


def claim_spans(due: Sequence[Due]) -> list[Span]:
    """What the statements of these wallets will cover, for those that no other transaction is issuing; theirs until this one
    ends. A wallet whose statement has been issued meanwhile is left out."""
    wanted = {one.wallet_id: one for one in due}
    spans: list[Span] = []
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [array_literal(sorted(wanted))])
        mine = [row[0] for row in cursor.fetchall()]
        ends = array_literal(f'"{wanted[wallet_id].period_end.isoformat()}"' for wallet_id in mine)
        cursor.execute(_SPANS, [array_literal(mine), ends])
        for wallet_id, bucket, previous_id, ended, low, opening, high, closing in cursor.fetchall():
            one = wanted[wallet_id]
            if ended is None or ended <= one.period_start:
                spans.append(
                    Span(
                        wallet_id,
                        bucket,
                        one.period_start,
                        one.period_end,
                        one.time_zone,
                        previous_id,
                        low or 0,
                        high or low or 0,
                        opening or ZERO,
                        (opening or ZERO) if high is None else closing,
                    )
                )
    return spans


_CLAIM: Final = """
    SELECT w.id FROM unnest(%s::bigint[]) AS w(id)
    WHERE pg_try_advisory_xact_lock(hashtext('statement'), (w.id %% 2147483647)::int)
"""

# The entries before the first one of the next period, whatever their own times say: versions decide, so none is left out.
_SPANS: Final = """
    SELECT w.id, w.bucket, s.id, s.period_end, s.closing_version, s.closing_balance, last.wallet_version, last.balance_after
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS k(wallet_id, period_end)
    JOIN wallets_wallet w ON w.id = k.wallet_id
    LEFT JOIN LATERAL (
        SELECT * FROM wallets_statement s WHERE s.wallet_id = w.id ORDER BY s.period_end DESC LIMIT 1
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT e.wallet_version FROM wallets_journalentry e
        WHERE e.wallet_id = w.id AND e.wallet_version > coalesce(s.closing_version, 0) AND e.at >= k.period_end
        ORDER BY e.wallet_version LIMIT 1
    ) next ON true
    LEFT JOIN LATERAL (
        SELECT e.wallet_version, e.balance_after FROM wallets_journalentry e
        WHERE e.wallet_id = w.id AND e.wallet_version > coalesce(s.closing_version, 0)
            AND (next.wallet_version IS NULL OR e.wallet_version < next.wallet_version)
        ORDER BY e.wallet_version DESC LIMIT 1
    ) last ON true
    ORDER BY w.id
"""
