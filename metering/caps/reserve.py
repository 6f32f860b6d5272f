"""What open holds set aside of spend caps. A row for each cap that a hold falls under, written with the hold; it counts while
the hold is open, in whatever window it then is, and not a moment longer: what ends a hold, its time included, ends this.

Whoever is to reserve locks the counters first (`lock_counters`), so that of two holds the second sees the first. What is
charged is counted by `count.py`, whatever was reserved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection, transaction

from metering.caps.models import CapReservation
from wallets.balances.publish import publish_changed
from wallets.holds.models import Hold
from wallets.outbox.topics import AccountsChanged

KEPT: Final = timedelta(days=30)
"""How long what a lapsed hold reserved is kept: for as long its late capture is counted for the same caps."""


class CounterKey(NamedTuple):
    """One counter of a cap."""

    cap_id: int
    window_start: datetime
    value: str


def lock_counters(keys: Collection[CounterKey], *, bucket: int) -> None:
    """Lock these counters until the transaction ends, in the order in which charges lock them; missing ones begin at zero.
    The account's wallet is locked."""
    if not keys:
        return
    caps, starts, values = zip(*sorted(keys), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO metering_spendcounter (bucket, cap_id, window_start, value, used, version)
               SELECT %s, k.* , 0, 0 FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS k(cap_id, start, value)
               ORDER BY k.cap_id, k.start, k.value ON CONFLICT (cap_id, window_start, value) DO NOTHING""",
            [bucket, list(caps), list(starts), list(values)],
        )
        cursor.execute(
            """SELECT id FROM metering_spendcounter WHERE bucket = %s AND (cap_id, window_start, value) IN (
                   SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]))
               ORDER BY cap_id, window_start, value FOR UPDATE""",
            [bucket, list(caps), list(starts), list(values)],
        )


def reserve(*, hold: Hold, parts: Mapping[tuple[int, str], Decimal]) -> None:
    """Set aside for an open hold, by cap and value; their counters are locked."""
    CapReservation.objects.bulk_create(
        CapReservation(bucket=hold.bucket, hold=hold, cap_id=cap_id, value=value, amount=amount)
        for (cap_id, value), amount in parts.items()
    )
    _publish_after(hold)


def end_reservation(hold: Hold) -> None:
    """A hold has ended, or sets something else aside now."""
    deleted, _ = CapReservation.objects.filter(bucket=hold.bucket, hold_id=hold.pk).delete()
    if deleted:
        _publish_after(hold)


def reserved_of(cap_ids: Collection[int], *, at: datetime | None) -> dict[tuple[int, str], Decimal]:
    """What open holds have set aside of these caps, by cap and value, without those that have ended by `at` (if known)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.cap_id, r.value, sum(r.amount)
               FROM metering_capreservation r JOIN wallets_hold h ON h.bucket = r.bucket AND h.id = r.hold_id
               WHERE r.cap_id = ANY(%s) AND h.state = 'OPEN' AND h.expires_at > coalesce(%s::timestamptz, '-infinity')
               GROUP BY r.cap_id, r.value""",
            [list(cap_ids), at],
        )
        return {(cap_id, value): amount for cap_id, value, amount in cursor}


def purge_reservations(*, at: datetime) -> int:
    """Delete what holds reserved that ended KEPT ago or are gone; returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM metering_capreservation r WHERE NOT EXISTS (
                   SELECT FROM wallets_hold h WHERE h.bucket = r.bucket AND h.id = r.hold_id
                   AND (h.state = 'OPEN' OR h.ended_at > %s))""",
            [at - KEPT],
        )
        return int(cursor.rowcount)


def _publish_after(hold: Hold) -> None:
    """The gate takes off what holds have set aside, as soon as this is committed."""
    changed = AccountsChanged([hold.wallet.account_id])
    transaction.on_commit(lambda: publish_changed(changed), robust=True)
