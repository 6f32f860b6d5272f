"""Charge rated items: write their charges, debit their wallets, add to the roll-ups. In the transaction of their events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from metering.ingest.charging import (
    Usage,
    add_usage,
    debit_of,
    lock_charged_wallets,
    usage_lines,
    write_charges,
)
from metering.ingest.counted import give_back_falls, rate_pending
from metering.ingest.rating import Item
from metering.ingest.rows import ROLL_UP, stage_usage
from wallets.balances.lock import LockedWallet
from wallets.credit.debit import debit_wallets


def charge_items(
    cursor: Any, items: Sequence[Item], usage: Usage, *, bucket: int, at: datetime, entry_ids: Sequence[int]
) -> dict[int, LockedWallet]:
    """Write the charges of items whose events are stored, debit their wallets, add `usage` (`usage_of`) to the roll-ups.

    Flat prices are written before any lock is taken; what depends on earlier usage or allowances is rated under it. Returns
    the wallets, locked until the transaction ends, as they are now. Raises WalletMoved, LockBusy, DataError.
    """
    ids = iter(entry_ids)
    work = write_charges(cursor, items, bucket=bucket, entry_ids=ids)
    waiting = [item for item in items if item.pending and not item.duplicate]
    if not work and not waiting:
        return {}
    if not waiting:
        stage_usage(cursor, usage.lines or usage_lines(usage, bucket=bucket))
        locked = lock_charged_wallets(work, items, bucket=bucket)
        debit_wallets([debit_of(locked[wallet_id], w) for wallet_id, w in sorted(work.items())], at=at, meanwhile=ROLL_UP)
        return locked
    locked = lock_charged_wallets({*work, *(item.wallet_id for item in waiting)}, items, bucket=bucket)
    counted = rate_pending(waiting, locked, work, ids, bucket=bucket, at=at)
    add_usage(usage, waiting)
    stage_usage(cursor, usage_lines(usage, bucket=bucket))
    counted.write(cursor, bucket=bucket)
    debits = [debit_of(locked[wallet_id], w, counted.units(wallet_id)) for wallet_id, w in sorted(work.items())]
    debit_wallets(debits, at=at, meanwhile=ROLL_UP)
    give_back_falls(cursor, counted, locked, bucket=bucket, at=at)
    return locked
