"""Going through all wallets whose lots have something due, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from wallets.balances.lock import LockBusy, LockedWallet, lock_wallets

# A transaction holds the locks of so many wallets: few enough that usage does not wait for long.
WALLETS_A_TRANSACTION: Final = 100

Step = Callable[[Mapping[int, LockedWallet], int], int]
"""What to do with locked wallets of one bucket; returns how many lots it was done with. Looks again at what is due."""


def sweep_wallets(due: QuerySet[Any], step: Step) -> int:
    """Lock the wallets of the rows that are due (lots, holds: what has `bucket` and `wallet_id`) and take `step` with them,
    some wallets a transaction; returns the sum.

    No wallet is left out: one that stays locked by others stops its own batch only, and LockBusy is raised at the end.
    """
    done = 0
    busy: LockBusy | None = None
    wallets = due.order_by("bucket", "wallet_id").values_list("bucket", "wallet_id").distinct()
    for bucket, rows in groupby(list(wallets), key=lambda row: row[0]):
        ids = [wallet_id for _, wallet_id in rows]
        for first in range(0, len(ids), WALLETS_A_TRANSACTION):
            try:
                with transaction.atomic():
                    done += step(lock_wallets(ids[first : first + WALLETS_A_TRANSACTION], bucket=bucket), bucket)
            except LockBusy as error:
                busy = error
    if busy is not None:
        raise busy
    return done
