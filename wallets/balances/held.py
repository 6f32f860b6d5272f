"""What is held of a wallet: the sum of its open holds. It changes only here, under the wallet's lock, without a journal
entry; `held_version` counts the changes, so that publications keep their order (`publish.py`).

A hold ends at its `expires_at` whether or not anybody writes that down. `next_lapse_at` on the wallet says until when
`held` is right as it stands: no open hold ends before it. So nobody looks holds up who need not, and whoever finds the
time past does: a verb takes what has ended off under the lock (`lapse_due`), a reader leaves it out (`without_lapsed`),
and the gate does not believe its copy beyond that time. The holds themselves stand above (`wallets/holds`), so by SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.balances.publish import publish_wallets
from wallets.bulk import array_literal
from wallets.money import ZERO
from wallets.outbox.topics import BalancesChanged
from wallets.outbox.write import add_news


def change_held(wallet: LockedWallet, amount: Decimal, *, until: datetime | None = None) -> None:
    """Hold `amount` more of a locked wallet (negative: less), for a hold that ends at `until`. `store_held` writes it."""
    wallet.held += amount
    wallet.held_version += 1
    assert wallet.held >= ZERO, (wallet.id, wallet.held)
    if until is not None and (wallet.next_lapse_at is None or until < wallet.next_lapse_at):
        wallet.next_lapse_at = until


def store_held(wallets: Sequence[LockedWallet], *, bucket: int, at: datetime, told: bool = False) -> None:
    """Write what is held of wallets locked in this transaction (all of one bucket), tell the news, publish.

    told: this transaction has posted an entry of these wallets, so that news to look at them again is written already.
    """
    changed = list(wallets)
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE wallets_wallet w SET held = v.held, held_version = v.held_version, next_lapse_at = v.next_lapse_at
               FROM unnest(%s::bigint[], %s::numeric[], %s::bigint[], %s::timestamptz[])
                    AS v(id, held, held_version, next_lapse_at)
               WHERE w.bucket = %s AND w.id = v.id""",
            [
                array_literal([w.id for w in changed]),
                array_literal([w.held for w in changed]),
                array_literal([w.held_version for w in changed]),
                [w.next_lapse_at for w in changed],
                bucket,
            ],
        )
        assert cursor.rowcount == len(changed), ([w.id for w in changed], cursor.rowcount)
    if not told:
        add_news([("", BalancesChanged([w.id for w in changed]))], at=at, bucket=bucket)
    transaction.on_commit(lambda: publish_wallets(changed), robust=True)


def lapse_due(wallets: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> int:
    """Take holds of these locked wallets that have ended by `at` off what is held; returns how many. No query where none
    can have ended."""
    due = {id_: w for id_, w in wallets.items() if w.next_lapse_at is not None and w.next_lapse_at <= at}
    if not due:
        return 0
    lapsed = 0
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH ended AS (
                   UPDATE wallets_hold SET state = 'LAPSED', ended_at = expires_at
                   WHERE bucket = %s AND wallet_id = ANY(%s) AND state = 'OPEN' AND expires_at <= %s
                   RETURNING wallet_id, amount)
               SELECT wallet_id, sum(amount), count(*) FROM ended GROUP BY wallet_id""",
            [bucket, list(due), at],
        )
        for wallet_id, amount, count in cursor.fetchall():
            change_held(due[wallet_id], -amount)
            lapsed += count
        cursor.execute(
            """SELECT wallet_id, min(expires_at) FROM wallets_hold
               WHERE bucket = %s AND wallet_id = ANY(%s) AND state = 'OPEN' GROUP BY wallet_id""",
            [bucket, list(due)],
        )
        ends = dict(cursor.fetchall())
    for wallet in due.values():
        wallet.next_lapse_at = ends.get(wallet.id)
        wallet.held_version += 1  # what was published is good for longer now
    store_held(list(due.values()), bucket=bucket, at=at)
    return lapsed


def without_lapsed(wallets: Iterable[Wallet], *, at: datetime) -> None:
    """Leave holds that have ended by `at` out of what is held of these wallets, in memory: for readers, who write nothing.
    One query where any can have ended, else none."""
    due = {w.pk: w for w in wallets if w.next_lapse_at is not None and w.next_lapse_at <= at}
    if not due:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT wallet_id, sum(amount) FROM wallets_hold
               WHERE bucket = ANY(%s) AND wallet_id = ANY(%s) AND state = 'OPEN' AND expires_at <= %s GROUP BY wallet_id""",
            [sorted({w.bucket for w in due.values()}), list(due), at],
        )
        for wallet_id, amount in cursor.fetchall():
            due[wallet_id].held -= amount
