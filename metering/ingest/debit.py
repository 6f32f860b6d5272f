"""Charge rated items: write their charges, debit their wallets, add to the roll-ups. In the transaction of their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from metering.caps.count import count_charges
from metering.ingest.charging import (
    Usage,
    WalletWork,
    debit_of,
    lock_charged_wallets,
    usage_lines,
    write_charges,
)
from metering.ingest.counted import charge_pending, give_back_falls
from metering.ingest.rating import Item
from metering.ingest.rows import ROLL_UP, stage_usage
from metering.ingest.runs import covered_meters, gather, rate_ahead
from wallets.balances.lock import LockedWallet
from wallets.balances.publish import publish_wallets
from wallets.credit.debit import debit_wallets
from wallets.overlap import running


def charge_items(
    cursor: Any,
    items: Sequence[Item],
    usage: Usage,
    *,
    bucket: int,
    at: datetime,
    entry_ids: Sequence[int],
    reference: str = "",
) -> dict[int, LockedWallet]:
    """Write the charges of items whose events are stored, debit their wallets, add `usage` (`usage_of`) to the roll-ups.

    Flat prices are written before any lock is taken; what depends on earlier usage or allowances is rated under it, or ahead
    of it and looked at again under it. Returns the wallets, locked until the transaction ends, as they are now.

    reference: of the entries. Raises WalletMoved, LockBusy, DataError.
    """
    ids = iter(entry_ids)
    work: dict[int, WalletWork] = {}
    waiting = [item for item in items if item.pending and not item.duplicate]
    with write_charges(cursor, items, work, bucket=bucket, entry_ids=ids):
        pending = gather(waiting, work, ids, bucket=bucket, covered=covered_meters(waiting))
        rate_ahead(pending)
    if not work:
        return {}
    if not waiting:
        stage_usage(cursor, usage.lines or usage_lines(usage, bucket=bucket))
        locked = lock_charged_wallets(work, items, bucket=bucket)
        debits = [debit_of(locked[wallet_id], w, reference=reference) for wallet_id, w in sorted(work.items())]
        debit_wallets(debits, at=at, meanwhile=ROLL_UP)
        _after_charging(items, locked, bucket=bucket, at=at)
        return locked
    locked = lock_charged_wallets(work, items, bucket=bucket)
    counted = charge_pending(cursor, pending, locked, work, usage, bucket=bucket, at=at)
    with running(connection.connection, counted.stores):
        debits = [
            debit_of(locked[wallet_id], w, counted.units(wallet_id), reference=reference)
            for wallet_id, w in sorted(work.items())
        ]
    counted.members.store()
    stage_usage(cursor, usage.lines or [])
    debit_wallets(debits, at=at, meanwhile=ROLL_UP)
    give_back_falls(cursor, counted, locked, bucket=bucket, at=at)
    _after_charging(items, locked, bucket=bucket, at=at)
    return locked


def _after_charging(items: Sequence[Item], locked: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> None:
    """Count the charges for spend caps, and end the leases of the calls that were charged, after the commit.

    A lease ends in the step in which its charge is published. Of a duplicate, an event that waits for a price, and a commit
    that could not be published, the lease stays until it lapses: then something counts twice for a while, never not at all.
    """
    capped = {wallet_id for wallet_id, wallet in locked.items() if wallet.has_caps}
    if capped:
        events = [item.row_id for item in items if item.wallet_id in capped and not item.duplicate and not item.first_line]
        count_charges(list(locked.values()), event_ids=events, bucket=bucket, at=at)
    leases = [
        (item.account.key, item.event.authorization)
        for item in items
        if item.event.authorization is not None and item.wallet_id in locked and not item.duplicate
    ]
    if leases:
        transaction.on_commit(lambda: publish_wallets(list(locked.values()), leases=leases), robust=True)
