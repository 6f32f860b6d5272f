"""Keep what Redis counts of the gate's decisions, and how far its copy was off."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from metering.gate.counted import MINUTES_COUNTED, minutes_in_redis
from metering.gate.models import CopyCheck, GateDecisions, RefusedRevenue
from wallets.accounts.models import Account
from wallets.balances.publish import Drift, republish_all

MINUTES_KEPT: Final = timedelta(days=2)
HOURS_KEPT: Final = timedelta(days=400)
CHECKS_KEPT: Final = timedelta(days=30)


def keep_decisions(*, at: datetime) -> int:
    """Copy what Redis has counted in the last hour and is not kept yet; returns how many rows grew. Safe to repeat, at the same
    moment too. Raises RedisAway."""
    decisions: list[tuple[datetime, str, int]] = []
    refused: list[tuple[datetime, str, str, Decimal]] = []
    for minute in minutes_in_redis(at=at, minutes=MINUTES_COUNTED):
        decisions += [(minute.at, reason, count) for reason, count in minute.decisions.items()]
        refused += [(minute.at, key, currency, amount) for (key, currency), amount in minute.refused.items()]
    ids = dict(Account.objects.filter(key__in={key for _, key, _, _ in refused}).values_list("key", "pk"))
    known = [(start, ids[key], currency, amount) for start, key, currency, amount in refused if key in ids]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_DECISIONS, [list(column) for column in zip(*sorted(decisions), strict=True)] or [[], [], []])
        grown: int = cursor.rowcount
        cursor.execute(_KEEP_REFUSED, [list(column) for column in zip(*sorted(known), strict=True)] or [[], [], [], []])
        return grown + int(cursor.rowcount)


_KEEP_DECISIONS: Final = """
    INSERT INTO metering_gatedecisions AS kept (length, start, reason, decisions)
    SELECT 'minute', * FROM unnest(%s::timestamptz[], %s::text[], %s::bigint[])
    ON CONFLICT (start, length, reason) DO UPDATE SET decisions = EXCLUDED.decisions
    WHERE kept.decisions < EXCLUDED.decisions
"""
_KEEP_REFUSED: Final = """
    INSERT INTO metering_refusedrevenue AS kept (length, start, account_id, currency, amount)
    SELECT 'minute', * FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::numeric[])
    ON CONFLICT (start, length, account_id, currency) DO UPDATE SET amount = EXCLUDED.amount
    WHERE kept.amount < EXCLUDED.amount
"""


def roll_up_decisions(*, at: datetime) -> None:
    """Add old minutes up to hours, and delete old hours and checks. Safe to repeat."""
    before = (at - MINUTES_KEPT).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_ROLL_UP_DECISIONS, [before])
        cursor.execute(_ROLL_UP_REFUSED, [before])
    GateDecisions.objects.filter(length="hour", start__lt=at - HOURS_KEPT).delete()
    RefusedRevenue.objects.filter(length="hour", start__lt=at - HOURS_KEPT).delete()
    CopyCheck.objects.filter(checked_at__lt=at - CHECKS_KEPT).delete()


# One statement each: what is deleted is what is added.
_ROLL_UP_DECISIONS: Final = """
    WITH gone AS (
        DELETE FROM metering_gatedecisions WHERE length = 'minute' AND start < %s RETURNING start, reason, decisions
    )
    INSERT INTO metering_gatedecisions AS kept (length, start, reason, decisions)
    SELECT 'hour', date_trunc('hour', start, 'UTC'), reason, sum(decisions) FROM gone GROUP BY 2, 3
    ON CONFLICT (start, length, reason) DO UPDATE SET decisions = kept.decisions + EXCLUDED.decisions
"""
_ROLL_UP_REFUSED: Final = """
    WITH gone AS (
        DELETE FROM metering_refusedrevenue WHERE length = 'minute' AND start < %s RETURNING start, account_id, currency, amount
    )
    INSERT INTO metering_refusedrevenue AS kept (length, start, account_id, currency, amount)
    SELECT 'hour', date_trunc('hour', start, 'UTC'), account_id, currency, sum(amount) FROM gone GROUP BY 2, 3, 4
    ON CONFLICT (start, length, account_id, currency) DO UPDATE SET amount = kept.amount + EXCLUDED.amount
"""


def check_copy(*, at: datetime) -> Drift:
    """Publish every account again, and keep how far Redis was off. Raises RedisAway."""
    drift = republish_all(at=at)
    CopyCheck.objects.create(
        checked_at=at,
        accounts=drift.accounts,
        missing=drift.missing,
        behind=drift.behind,
        different=drift.different,
        settings=drift.settings,
    )
    return drift
