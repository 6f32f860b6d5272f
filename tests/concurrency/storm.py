"""A storm on shared wallets: debits of several wallets at once, grants, transfers, from threads and from processes.

Run as a program (`python -m tests.concurrency.storm SEED STEPS THREADS WALLET...`, database by DATABASE_URL) it prints what
it did, by wallet, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wallets.balances.lock import LockedWallet

AT: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
COIN: Final = Decimal("0.010000000001")

Lock = Callable[[Collection[int]], "Mapping[int, LockedWallet]"]
Sums = Counter[int]
"""Wallet row id -> coins that came (more than went, or less)."""


def storm(wallet_ids: Sequence[int], *, seed: int, steps: int, lock: Lock) -> Sums:
    """Do `steps` random things to random wallets, one transaction each; what came and went."""
    from django.db import connection, transaction  # noqa: PLC0415 - a program sets Django up first

    from wallets.credit.debit import WalletDebit, debit_wallets  # noqa: PLC0415 - as above
    from wallets.credit.grant import grant_credit  # noqa: PLC0415 - as above
    from wallets.credit.transfer import NotEnoughCredit, transfer_credit  # noqa: PLC0415 - as above

    choose = random.Random(seed)
    sums: Sums = Counter()
    try:
        for _ in range(steps):
            coins = choose.randint(1, 9)
            what = choose.random()
            if what < 0.2:
                wallet_id = choose.choice(wallet_ids)
                grant_credit(wallet_id=wallet_id, amount=coins * COIN, kind=choose.choice(["paid", "trial"]), at=AT)
                sums[wallet_id] += coins
            elif what < 0.4:
                source, target = choose.sample(wallet_ids, 2)
                try:
                    transfer_credit(from_wallet_id=source, to_wallet_id=target, amount=coins * COIN, at=AT)
                except NotEnoughCredit:
                    continue
                sums.update({source: -coins, target: coins})
            else:
                chosen = choose.sample(wallet_ids, choose.randint(1, len(wallet_ids)))
                with transaction.atomic():
                    locked = lock(chosen)
                    debits = [WalletDebit(locked[one], [("calls", coins * COIN, AT)] * 2) for one in chosen]
                    debit_wallets(debits, at=AT)
                sums.update(dict.fromkeys(chosen, -2 * coins))
    finally:
        connection.close()
    return sums


def in_threads(wallet_ids: Sequence[int], *, seed: int, steps: int, threads: int, lock: Lock) -> Sums:
    """A storm in each of several threads. Raises what the first of them to fail raised."""
    with ThreadPoolExecutor(threads) as pool:
        storms = [pool.submit(storm, wallet_ids, seed=seed + thread, steps=steps, lock=lock) for thread in range(threads)]
    total: Sums = Counter()
    for one in storms:
        total.update(one.result())
    return total


def lock_as_verbs_do(wallet_ids: Collection[int]) -> Mapping[int, LockedWallet]:
    """The lock every verb takes."""
    from wallets.balances.lock import lock_wallets  # noqa: PLC0415 - a program sets Django up first
    from wallets.balances.models import Wallet  # noqa: PLC0415 - as above

    (bucket,) = set(Wallet.objects.filter(pk__in=wallet_ids).values_list("bucket", flat=True))
    return lock_wallets(wallet_ids, bucket=bucket)


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "billing_site.settings"
    django.setup()
    seed, steps, threads, *ids = map(int, sys.argv[1:])
    json.dump(in_threads(ids, seed=seed, steps=steps, threads=threads, lock=lock_as_verbs_do), sys.stdout)
