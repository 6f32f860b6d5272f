"""Count charges for spend caps: one statement over the charges that the transaction has written, so what is counted is exactly
what was charged, in whatever way it was rated. Counters are the last that a transaction locks, in one order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from metering.caps.models import CapReservation, SpendCap, SpendCounter
from metering.caps.reserve import reserved_of
from metering.caps.window import microseconds, window_of
from wallets.balances.lock import LockedWallet
from wallets.balances.publish import Spent, publish_wallets
from wallets.holds.models import Hold
from wallets.money import ZERO
from wallets.outbox.topics import SpendCapReached
from wallets.outbox.write import add_news

# The window of date_trunc in a zone is the window of `window_of`; a test holds them equal.
_COUNT: Final = """
    WITH added AS (
        SELECT cap.id AS cap_id,
               CASE cap.window WHEN 'total' THEN 'epoch'::timestamptz ELSE date_trunc(cap.window, e.time, a.time_zone) END
                   AS window_start,
               CASE cap.scope WHEN 'account' THEN '' ELSE left(e.properties ->> CASE cap.scope
                   WHEN 'team' THEN coalesce(p.team, 'team') WHEN 'user' THEN coalesce(p.user, 'user')
                   WHEN 'api_key' THEN coalesce(p.api_key, 'api_key')
                   ELSE coalesce(p.cost_centre, 'cost_centre') END, 255) END AS value,
               CASE WHEN cap.meter_id IS NULL THEN c.amount ELSE c.quantity END AS used, cap.scope, cap.value AS capped
        FROM metering_spendcap cap
        JOIN wallets_account a ON a.id = cap.account_id
        LEFT JOIN metering_capproperties p ON p.account_id = cap.account_id
        JOIN metering_usageevent e ON e.bucket = cap.bucket AND e.account_id = cap.account_id
        JOIN metering_charge c ON c.bucket = e.bucket AND c.event_id = e.id
        JOIN wallets_wallet w ON w.bucket = c.bucket AND w.id = c.wallet_id
        WHERE cap.bucket = %(bucket)s AND cap.state = 'ACTIVE' AND {which}
          AND (cap.meter_id = c.meter_id OR cap.currency = w.currency)
    ), counted AS (
        INSERT INTO metering_spendcounter AS s (bucket, cap_id, window_start, value, used, version)
        SELECT %(bucket)s, cap_id, window_start, value, sum(used), 1 FROM added
        WHERE scope = 'account' OR value <> '' AND capped IN ('', value)
        GROUP BY cap_id, window_start, value ORDER BY cap_id, window_start, value
        ON CONFLICT (cap_id, window_start, value)
        DO UPDATE SET used = s.used + EXCLUDED.used, version = s.version + 1
        RETURNING s.id, s.cap_id, s.window_start, s.value, s.used, s.version, s.reached_at
    )
    SELECT counted.*, cap.public_id, cap.limit, a.key, a.id
    FROM counted JOIN metering_spendcap cap ON cap.id = counted.cap_id JOIN wallets_account a ON a.id = cap.account_id
    ORDER BY counted.id
"""
_COUNT_AMOUNT: Final = """
    WITH counted AS (
        INSERT INTO metering_spendcounter AS s (bucket, cap_id, window_start, value, used, version)
        SELECT %s, k.cap_id, k.start, k.value, %s, 1
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS k(cap_id, start, value) ORDER BY 2, 3, 4
        ON CONFLICT (cap_id, window_start, value)
        DO UPDATE SET used = s.used + EXCLUDED.used, version = s.version + 1
        RETURNING s.id, s.cap_id, s.window_start, s.value, s.used, s.version, s.reached_at
    )
    SELECT counted.*, cap.public_id, cap.limit, a.key, a.id
    FROM counted JOIN metering_spendcap cap ON cap.id = counted.cap_id JOIN wallets_account a ON a.id = cap.account_id
    ORDER BY counted.id
"""
_OF_EVENTS: Final = "e.id = ANY(%(events)s)"
_FROM_LINES: Final = """
    e.id = ANY(%(events)s) AND c.line >= (
        SELECT first.line FROM unnest(%(events)s::bigint[], %(lines)s::int[]) AS first(event_id, line)
        WHERE first.event_id = e.id
    )
"""
_SINCE: Final = "cap.id = %(cap)s AND e.time >= %(since)s"


def count_charges(
    wallets: Collection[LockedWallet],
    *,
    event_ids: Sequence[int],
    bucket: int,
    at: datetime,
    from_lines: Sequence[int] | None = None,
) -> None:
    """Count the charges of these events, written in this transaction, for the caps of their accounts; publish them after it.

    wallets: those that were charged, locked. Costs nothing where no account has caps.  from_lines: by event, the first
    of its charges that is counted; None for events that had none before.
    """
    if not any(wallet.has_caps for wallet in wallets):
        return
    values: dict[str, Any] = {"bucket": bucket, "events": list(event_ids), "lines": list(from_lines or ())}
    spent = _count(_OF_EVENTS if from_lines is None else _FROM_LINES, values, bucket=bucket, at=at)
    if spent:
        publish_after(wallets, spent)


def count_since(*, cap_id: int, since: datetime, bucket: int, at: datetime) -> None:
    """Count for a new cap what was charged for events since then; the account's wallets are locked."""
    _count(_SINCE, {"bucket": bucket, "cap": cap_id, "since": since}, bucket=bucket, at=at)


def count_captured(*, hold: Hold, amount: Decimal, at: datetime) -> None:
    """Count what a hold was captured for without an event, for the money caps it was placed under; its wallet is locked."""
    found = CapReservation.objects.filter(bucket=hold.bucket, hold_id=hold.pk, cap__state=SpendCap.State.ACTIVE)
    parts = sorted(
        (one.cap_id, window_of(one.cap.window, at, hold.wallet.account.time_zone)[0], one.value)
        for one in found.filter(cap__currency=hold.wallet.currency).select_related("cap")
    )
    if not parts or not amount:
        return
    caps, starts, values = (list(column) for column in zip(*parts, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_AMOUNT, [hold.bucket, amount, caps, starts, values])
        rows = cursor.fetchall()
    _told(rows, bucket=hold.bucket, at=at)


def publish_after(wallets: Collection[LockedWallet], spent: Sequence[Spent]) -> None:
    """Publish counters once this transaction has committed."""
    transaction.on_commit(lambda: publish_wallets(list(wallets), spent=spent), robust=True)


def _count(which: str, values: dict[str, Any], *, bucket: int, at: datetime) -> list[Spent]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(which=which), values)
        rows = cursor.fetchall()
    return _told(rows, bucket=bucket, at=at)


def _told(rows: Sequence[Any], *, bucket: int, at: datetime) -> list[Spent]:
    """Tell which counters have reached their limit; what is to be published of them, with what holds have set aside."""
    if not rows:
        return []
    held = reserved_of({row[1] for row in rows}, at=at)  # in a statement of its own: it sees what was committed while we waited
    spent: list[Spent] = []
    reached: list[int] = []
    open_again: list[int] = []
    news: list[tuple[str, SpendCapReached]] = []
    for counter, cap_id, start, value, used, version, reached_at, public_id, limit, account_key, account_id in rows:
        taken = used + held.get((cap_id, value), ZERO)
        spent.append(Spent(account_key, f"{cap_id}:{microseconds(start)}:{value}", version, taken))
        if used >= limit and reached_at is None:
            reached.append(counter)
            told = SpendCapReached(public_id, account_id, value, start.isoformat(), f"{used:f}", f"{limit:f}")
            news.append((f"account:{account_id}", told))
        elif used < limit and reached_at is not None:
            open_again.append(counter)
    if reached:
        SpendCounter.objects.filter(bucket=bucket, pk__in=reached).update(reached_at=at)
        add_news(news, at=at, bucket=bucket)
    if open_again:
        SpendCounter.objects.filter(bucket=bucket, pk__in=open_again).update(reached_at=None)
    return spent
