"""Sweep over all lots: credit that expires in 30, 7 or 1 days, once for each lot and number of days. Only what was there that
many days before is told: who grants credit for a week need not be warned of it at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from notifications.alerts.raise_alert import raise_alert

DAYS: Final = (1, 7, 30)
BATCH: Final = 1_000
TOPIC: Final = "lot_expiring"


def tell_expiring_lots(*, at: datetime) -> int:
    """Tell what is due; returns how many. Twice is once: a lot and number of days is one alert. After a pause the nearest of
    the days is told, not all of them. What a plan gives ends with its period, and is not told."""
    told = 0
    nearest = 0
    for days in DAYS:
        while lots := _due(days, nearer_than=nearest, at=at):
            told += sum(_tell(lot, days, at=at) for lot in lots)
        nearest = days
    return told


def _due(days: int, *, nearer_than: int, at: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT l.public_id, l.wallet_id, w.account_id, l.remaining, w.currency, l.unit_meter, l.expires_at
               FROM wallets_creditlot l JOIN wallets_wallet w ON w.bucket = l.bucket AND w.id = l.wallet_id
               WHERE l.state = 'OPEN' AND l.expires_at > %(after)s AND l.expires_at <= %(until)s AND l.kind <> 'plan'
                 AND greatest(l.created_at, l.effective_at) <= l.expires_at - make_interval(days => %(days)s)
                 AND NOT EXISTS (SELECT FROM notifications_alert a
                                 WHERE a.key = %(topic)s || ':' || l.public_id || ':' || %(days)s::text)
               ORDER BY l.expires_at, l.id LIMIT %(limit)s""",
            {
                "after": at + timedelta(days=nearer_than),
                "until": at + timedelta(days=days),
                "days": days,
                "topic": TOPIC,
                "limit": BATCH,
            },
        )
        return list(cursor)


def _tell(lot: tuple[Any, ...], days: int, *, at: datetime) -> bool:
    public_id, wallet_id, account_id, remaining, currency, meter, expires_at = lot
    amount: Decimal = remaining
    left = max(1, -(-(expires_at - at) // timedelta(days=1)))
    facts = {"lot": public_id, "amount": f"{amount:f}", "days": str(left), "expires_at": expires_at.isoformat()}
    facts |= {"unit": meter} if meter else {"currency": currency}
    raised = raise_alert(
        topic=TOPIC, key=f"{TOPIC}:{public_id}:{days}", account_id=account_id, wallet_id=wallet_id, facts=facts, at=at,
        severity="warning" if days == DAYS[0] else "info",
    )  # fmt: skip
    return raised is not None
