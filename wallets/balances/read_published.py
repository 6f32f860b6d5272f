"""Read what the gate is to know of accounts from PostgreSQL: for the publication, and for the gate while Redis is away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from wallets.balances.published import PublishedAccount, PublishedCap, PublishedWallet


def read_accounts(
    *,
    account_ids: Collection[int] = (),
    account_keys: Collection[str] = (),
    wallet_ids: Collection[int] = (),
    at: datetime | None = None,
) -> list[PublishedAccount]:
    """These accounts as the gate sees them, from PostgreSQL, in one query; without holds that have ended by `at`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.id, a.key, a.status, a.currency, a.on_outage, a.offline_allowance,
                      w.id, w.public_id, w.currency,
                      CASE WHEN w.status <> 'ACTIVE' OR w.let_through = 'all' THEN w.status
                           WHEN w.let_through = 'slowly' THEN 'SLOWED' ELSE 'FROZEN' END, w.is_default,
                      w.balance - w.held + coalesce(h.lapsed, 0), w.overdraft, w.on_empty, w.grace_limit,
                      w.throttle_per_minute, w.version + w.held_version,
                      coalesce(extract(epoch FROM least(h.next_lapse, u.next_change)) * 1000000, 0)::bigint,
                      coalesce(u.meters, '{}')
               FROM wallets_account a LEFT JOIN wallets_wallet w ON w.account_id = a.id AND w.status <> 'CLOSED'
               LEFT JOIN LATERAL (
                   SELECT sum(amount) FILTER (WHERE expires_at <= now.at) AS lapsed,
                          min(expires_at) FILTER (WHERE expires_at > now.at) AS next_lapse
                   FROM wallets_hold, (SELECT coalesce(%s::timestamptz, '-infinity') AS at) now
                   WHERE w.next_lapse_at IS NOT NULL AND bucket = w.bucket AND wallet_id = w.id AND state = 'OPEN'
               ) h ON true
               LEFT JOIN LATERAL (
                   SELECT array_agg(DISTINCT unit_meter::text ORDER BY unit_meter::text) FILTER (
                              WHERE (state = 'OPEN' OR effective_at <= now.at) AND (expires_at IS NULL OR expires_at > now.at)
                          ) AS meters,
                          min(CASE WHEN state = 'SCHEDULED' AND effective_at > now.at THEN effective_at
                                   WHEN expires_at > now.at THEN expires_at END) AS next_change
                   FROM wallets_creditlot, (SELECT coalesce(%s::timestamptz, '-infinity') AS at) now
                   WHERE w.allowance_meters <> '{}' AND bucket = w.bucket AND wallet_id = w.id
                     AND state IN ('OPEN', 'SCHEDULED') AND unit_meter <> ''
               ) u ON true
               WHERE a.id = ANY(ARRAY(
                   SELECT id FROM wallets_account WHERE id = ANY(%s) OR key = ANY(%s)
                   UNION SELECT account_id FROM wallets_wallet WHERE id = ANY(%s)))
               ORDER BY a.id, w.id""",
            [at, at, list(account_ids), list(account_keys), list(wallet_ids)],
        )
        rows = [(*row[:-1], tuple(row[-1])) for row in cursor]
    found = list(_accounts(rows))
    caps = read_caps([account.id for account in found], at)
    return [replace(account, caps=tuple(caps[account.id])) if account.id in caps else account for account in found]


def read_caps(account_ids: Sequence[int], at: datetime | None) -> Mapping[int, Sequence[PublishedCap]]:
    """The spend caps of these accounts, by row id; they stand in a room above, which settings.GATE_CAPS names."""
    if not account_ids:
        return {}
    caps: Mapping[int, Sequence[PublishedCap]] = import_string(settings.GATE_CAPS)(account_ids=account_ids, at=at)
    return caps


def _accounts(rows: Iterable[Sequence[Any]]) -> Iterator[PublishedAccount]:
    """Rows of `read_accounts`, in order, put together by account."""
    for (account_id, key, status, currency, on_outage, allowance), of_account in groupby(rows, key=lambda row: tuple(row[:6])):
        wallets = tuple(PublishedWallet(*row[6:]) for row in of_account if row[6] is not None)
        yield PublishedAccount(account_id, key, status, currency, wallets, on_outage, allowance)
