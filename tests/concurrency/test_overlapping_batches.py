"""However many processes and threads send the same events at once, each id is charged once, balances are exact to the last
decimal, and nobody waits in a circle (I3). Once more without the lock on the wallets it goes wrong, or it proves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import DatabaseError, connection

from metering.ingest import charging
from metering.ingest.batch import ingest_batch
from metering.usage.models import Charge, UsageEvent
from tests.concurrency.overlapping_batches import AT, EVENTS, all_events, send_in_threads
from tests.concurrency.test_debits_are_exact import read_without_lock
from tests.factories.proofs import assert_everything_is_proved
from tests.factories.usage import CALL, GPT_5_TOKEN, TOKEN, define_meters, price_list
from wallets.accounts.open import open_account
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[2]
ACCOUNTS = [f"shared-account-{number}" for number in range(5)]
CREDIT = Decimal("0.5")  # less than some of them use: overdraft is part of it
PROCESSES, THREADS = 4, 8


def open_shared_accounts() -> None:
    define_meters()
    price_list()
    for key in ACCOUNTS:
        wallet = open_wallet(account=open_account(key=key, name=key, at=AT), currency="USD", at=AT)
        grant_credit(wallet_id=wallet.pk, amount=CREDIT, kind="promotional", at=AT, effective_at=AT.replace(year=2025))
        grant_credit(wallet_id=wallet.pk, amount=CREDIT, kind="paid", at=AT, effective_at=AT.replace(year=2025))


def start_process(*, seed: int) -> subprocess.Popen[str]:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.concurrency.overlapping_batches", str(seed), str(THREADS), *ACCOUNTS]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.PIPE, text=True)


def expected_balances() -> dict[str, Decimal]:
    """Credit less the price of each event, once; added up one by one."""
    balances = dict.fromkeys(ACCOUNTS, 2 * CREDIT)
    for number in range(EVENTS):
        token = GPT_5_TOKEN if number % 3 else TOKEN
        balances[ACCOUNTS[number % len(ACCOUNTS)]] -= CALL + number * token
    return balances


def assert_each_is_charged_once() -> None:
    assert UsageEvent.objects.count() == EVENTS
    assert Charge.objects.count() == 2 * EVENTS
    assert dict(Wallet.objects.values_list("account__key", "balance")) == expected_balances()
    assert_everything_is_proved()


@pytest.mark.parametrize("buckets", [1, 8])
def test_overlapping_batches_charge_each_id_once(buckets: int, settings) -> None:
    settings.HOT_BUCKETS = buckets
    open_shared_accounts()
    assert (len(set(Wallet.objects.values_list("bucket", flat=True))) > 1) == (buckets > 1)
    processes = [start_process(seed=1000 * number) for number in range(1, PROCESSES + 1)]
    counts: Counter[str] = Counter()
    for process in processes:
        answer, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        counts.update(json.loads(answer))
    rest = ingest_batch(events=all_events(ACCOUNTS), at=AT)
    assert counts["accepted"] + rest.accepted == EVENTS
    assert counts["duplicates"] > 0
    assert_each_is_charged_once()


def test_without_the_lock_the_same_race_goes_wrong(monkeypatch) -> None:
    open_shared_accounts()
    monkeypatch.setattr(charging, "lock_wallets", lambda wallet_ids, **_: read_without_lock(list(wallet_ids)))
    try:
        send_in_threads(ACCOUNTS, seed=1, threads=THREADS)
        ingest_batch(events=all_events(ACCOUNTS), at=AT)
        assert_each_is_charged_once()
    except (DatabaseError, psycopg.Error, AssertionError):
        return
    pytest.fail("the race without the lock went right")
