"""Usage of all accounts in any span of time: whole days (UTC) from what is added up already
(`wallets/ledger/rolled_days.py`), the rest from the hourly roll-ups."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Min

from metering.usage.day_models import UsageDay
from metering.usage.models import HourlyUsage
from wallets.ledger.proof import Proof, prove_rows
from wallets.ledger.rolled_days import roll_up_days, spans_of

USAGE: Final = "usage"


def usage_rows_sql(*, start: datetime, end: datetime, currency: str = "", by_account: bool) -> tuple[str, list[Any]]:
    """A SELECT, and its values, of (day, currency, account_id, meter_id, dimensions, events, quantity, amount, cost) of
    all usage of hours from `start` until before `end`; by_account=False: without account_id, from far fewer rows."""
    spans = spans_of(USAGE, start=start, end=end)
    account, whose = ("account_id", "IS NOT NULL") if by_account else ("NULL::bigint", "IS NULL")
    parts, values = [], []
    if spans.first < spans.cut:
        parts.append(_DAYS.format(account=account, whose=whose))
        values += [spans.first, spans.cut, spans.stale, currency, currency]
    for low, high in spans.live or ([] if parts else [(start, start)]):
        parts.append(_HOURS.format(account=account))
        values += [low, high, currency, currency]
    return " UNION ALL ".join(parts), values


def roll_up_usage(*, at: datetime) -> int:
    """Add up the days of usage that are over at `at`. Returns how many; may run at any time."""
    return roll_up_days(
        USAGE,
        at=at,
        earliest=lambda: HourlyUsage.objects.aggregate(first=Min("hour"))["first"],
        forget=lambda day: UsageDay.objects.filter(day=day).delete(),
        add_up=_add_up,
    )


def usage_days_hold() -> Proof:
    """Every day that is added up, and not marked, has the sums of its hours, by account and over all."""
    return prove_rows(
        "Days of usage have the sums of their hours",
        "I2",
        f"""
        SELECT CASE WHEN (s.amount, s.quantity, s.cost, s.events) IS DISTINCT FROM (d.amount, d.quantity, d.cost, d.events)
            THEN format('%s: usage of meter %s is added up as %s, its hours are %s', coalesce(s.day, d.day),
                        coalesce(s.meter_id, d.meter_id), d.amount, s.amount)
        END
        FROM (
            SELECT day, account_id, meter_id, currency, dimensions, events, quantity, amount, cost FROM metering_usageday
            WHERE day NOT IN (SELECT day FROM wallets_staleday WHERE what = 'usage')
        ) d
        FULL JOIN (
            {
            _SUMS.format(
                where="hour < (SELECT rolled FROM wallets_rolleddays WHERE what = 'usage') AND (hour AT TIME ZONE 'UTC')::date"
                " NOT IN (SELECT day FROM wallets_staleday WHERE what = 'usage')"
            )
        }
        ) s ON (s.day, coalesce(s.account_id, 0), s.meter_id, s.currency, s.dimensions)
             = (d.day, coalesce(d.account_id, 0), d.meter_id, d.currency, d.dimensions)
        """,  # noqa: S608 - of constants
    )


def _add_up(low: datetime, high: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, [low, high])


_SUMS: Final = """
    SELECT (hour AT TIME ZONE 'UTC')::date AS day, account_id, meter_id, currency, dimensions, sum(events) AS events,
           sum(quantity) AS quantity, sum(amount) AS amount, sum(cost) AS cost
    FROM metering_hourlyusage WHERE {where}
    GROUP BY GROUPING SETS ((1, 2, 3, 4, 5), (1, 3, 4, 5))
"""
_ROLL_UP: Final = f"""
    INSERT INTO metering_usageday (day, account_id, meter_id, currency, dimensions, events, quantity, amount, cost)
    {_SUMS.format(where="hour >= %s AND hour < %s")}
"""
_DAYS: Final = """
    SELECT day, currency, {account} AS account_id, meter_id, dimensions, events, quantity, amount, cost FROM metering_usageday
    WHERE day >= %s AND day < %s AND day <> ALL(%s) AND (%s = '' OR currency = %s) AND account_id {whose}
"""
_HOURS: Final = """
    SELECT (hour AT TIME ZONE 'UTC')::date AS day, currency, {account} AS account_id, meter_id, dimensions, events, quantity,
           amount, cost
    FROM metering_hourlyusage
    WHERE hour >= %s AND hour < %s AND (%s = '' OR currency = %s)
"""
