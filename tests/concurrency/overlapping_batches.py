"""Batches that share event ids and wallets, sent by threads of several processes at once.

Run as a program (`python -m tests.concurrency.overlapping_batches SEED THREADS ACCOUNT...`, database by DATABASE_URL) it
prints how many events were accepted and how many were there already, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from metering.ingest.decode import UsageInput

AT: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
EVENTS: Final = 600
BATCH: Final = 60
BATCHES: Final = 8


def all_events(accounts: Sequence[str]) -> list[UsageInput]:
    """Every event there is: the same for each sender."""
    from metering.ingest.decode import usage_input  # noqa: PLC0415 - a program sets Django up first

    return [
        usage_input(
            event_id=f"shared-{number}",
            event_type="llm.request",
            account=accounts[number % len(accounts)],
            time=AT - timedelta(minutes=number % 90),
            properties={"tokens": number, "model": "gpt-5" if number % 3 else "small"},
        )
        for number in range(EVENTS)
    ]


def send(accounts: Sequence[str], *, seed: int) -> Counter[str]:
    """Send batches of events chosen by chance, in an order of chance; how many were taken and how many stood already."""
    from django.db import connection  # noqa: PLC0415 - as above

    from metering.ingest.batch import ingest_batch  # noqa: PLC0415 - as above

    choose = random.Random(seed)
    events = all_events(accounts)
    counts: Counter[str] = Counter()
    try:
        for _ in range(BATCHES):
            result = ingest_batch(events=choose.sample(events, BATCH), at=AT)
            assert not result.rejected
            assert not result.unrated
            counts.update(accepted=result.accepted, duplicates=result.duplicates)
    finally:
        connection.close()
    return counts


def send_in_threads(accounts: Sequence[str], *, seed: int, threads: int) -> Counter[str]:
    """As many senders as threads. Raises what the first of them to fail raised."""
    with ThreadPoolExecutor(threads) as pool:
        senders = [pool.submit(send, accounts, seed=seed + number) for number in range(threads)]
    return sum((sender.result() for sender in senders), Counter())


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "billing_site.settings"
    django.setup()
    json.dump(send_in_threads(sys.argv[3:], seed=int(sys.argv[1]), threads=int(sys.argv[2])), sys.stdout)
