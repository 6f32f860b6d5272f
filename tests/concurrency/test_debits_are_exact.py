"""However many threads and processes debit, credit and transfer at once, every coin is accounted for, and nothing deadlocks.

Each race is run once more without its lock: there it must go wrong, or it proves nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from tests.concurrency.storm import AT, COIN, Sums, in_threads, lock_as_verbs_do
from tests.factories.balances import wallet_of
from tests.factories.journal import assert_books_hold
from wallets.balances.lock import COLUMNS, LockBusy, LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.transfer import transfer_credit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def shared_wallets(count: int) -> list[int]:
    first = wallet_of("acme", credit="100")
    return [first.pk, *(open_wallet(account=first.account, currency="USD", at=AT).pk for _ in range(count - 1))]


def assert_exact(wallet_ids: list[int], sums: Sums) -> None:
    balances = dict(Wallet.objects.filter(pk__in=wallet_ids).values_list("pk", "balance"))
    balances[wallet_ids[0]] -= 100
    assert balances == {wallet_id: sums[wallet_id] * COIN for wallet_id in wallet_ids}
    assert_books_hold()


def start_process(wallet_ids: list[int], *, seed: int) -> subprocess.Popen[str]:
    """A storm of four threads in a process of its own, on this test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.concurrency.storm", *map(str, (seed, 25, 4, *wallet_ids))]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.PIPE, text=True)


def test_threads_and_processes_leave_exact_balances() -> None:
    wallet_ids = shared_wallets(3)
    processes = [start_process(wallet_ids, seed=1000 * number) for number in (1, 2)]
    sums = in_threads(wallet_ids, seed=1, steps=25, threads=8, lock=lock_as_verbs_do)
    for process in processes:
        answer, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        sums.update({int(wallet_id): coins for wallet_id, coins in json.loads(answer).items()})
    assert_exact(wallet_ids, sums)


def read_without_lock(wallet_ids: Collection[int]) -> dict[int, LockedWallet]:
    """What the lock reads, with nobody kept out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM wallets_wallet w JOIN wallets_account a ON a.id = w.account_id WHERE w.id = ANY(%s)",
            [list(wallet_ids)],
        )
        return {row[0]: LockedWallet(*row[:16], bytes(row[16]), *row[17:]) for row in cursor.fetchall()}


def test_without_the_lock_the_same_race_goes_wrong() -> None:
    wallet_ids = shared_wallets(3)
    try:
        sums = in_threads(wallet_ids, seed=1, steps=25, threads=8, lock=read_without_lock)
        assert_exact(wallet_ids, sums)
    except (DatabaseError, psycopg.Error, AssertionError):
        return
    pytest.fail("nothing went wrong: the race does not race")


def move_back_and_forth(source: int, target: int, failures: list[BaseException]) -> None:
    try:
        for _ in range(40):
            transfer_credit(from_wallet_id=source, to_wallet_id=target, amount=COIN, at=AT)
    except BaseException as error:  # noqa: BLE001 - told to the test
        failures.append(error)
    finally:
        connection.close()


def run_together(*threads: Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_transfers_in_opposite_directions_do_not_deadlock() -> None:
    one, other = shared_wallets(2)
    transfer_credit(from_wallet_id=one, to_wallet_id=other, amount=80 * COIN, at=AT)
    failures: list[BaseException] = []
    pairs = [(one, other), (other, one), (one, other), (other, one)]
    run_together(*(Thread(target=move_back_and_forth, args=(*pair, failures)) for pair in pairs))
    assert failures == []
    assert_exact([one, other], Counter({one: -80, other: 80}))


def test_wallets_locked_one_after_the_other_in_opposite_orders_do_deadlock() -> None:
    ids = shared_wallets(2)
    bucket = Wallet.objects.get(pk=ids[0]).bucket
    both_hold_one = Barrier(2, timeout=10)
    failures: list[BaseException] = []

    def lock_in_turn(first: int, second: int) -> None:
        try:
            with transaction.atomic():
                lock_wallets([first], bucket=bucket)
                both_hold_one.wait()
                lock_wallets([second], bucket=bucket)
        except (DatabaseError, LockBusy, BrokenBarrierError) as error:
            failures.append(error)
        finally:
            connection.close()

    run_together(Thread(target=lock_in_turn, args=ids), Thread(target=lock_in_turn, args=ids[::-1]))
    assert len(failures) == 1
    assert not isinstance(failures[0], BrokenBarrierError)
