"""Redis is wiped while a thousand decisions a second are asked for: nothing is allowed that credit and caps do not cover, the
gate is right again in the first decision after the wipe, and nothing is lost."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any, Final

import pytest
from django.db import connection
from redis import Redis

from metering.caps.set_cap import CapTerms, set_cap
from metering.gate.check import check_account
from metering.gate.decide import Call
from metering.ingest.batch import ingest_batch
from tests.factories.balances import wallet_of
from tests.factories.usage import event, open_prices

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("redis_server", "books_hold"),
]  # fmt: skip

FULL: Final = os.environ.get("ATTACK") == "full"
SECONDS: Final = 10.0 if FULL else 2.0
RATE: Final = 1_000
THREADS: Final = 4
WIPES: Final = 5 if FULL else 2


def test_a_wipe_at_a_thousand_decisions_a_second_allows_nothing_wrong(
    redis_server: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    open_prices()
    at = datetime.now(UTC)  # noqa: TID251 - a door's clock
    covered, capped = wallet_of("covered", credit="100", at=at), wallet_of("capped", credit="100", at=at)
    wallet_of("empty", at=at)
    terms = CapTerms(scope="user", window="total", limit=D("0.0001"), currency="USD")
    set_cap(account=capped.account, terms=terms, at=at)
    used = [event("e1", 0, account="capped", time=at, properties={"user": "u_1"})]
    assert ingest_batch(events=used, at=at).accepted == 1
    questions: list[tuple[str, Call, str]] = [
        (covered.account.key, Call(), "allow"),
        ("empty", Call(), "refuse"),
        ("capped", Call({"user": "u_1"}), "refuse"),
        ("capped", Call({"user": "u_2"}), "allow"),
    ]
    verdicts: Counter[tuple[str, str]] = Counter()
    slowest = [0.0]
    lock, began = threading.Lock(), time.monotonic()

    def ask(number: int) -> None:
        pause, turn = threading.Event(), number
        while time.monotonic() - began < SECONDS:
            account, call, expected = questions[turn % len(questions)]
            asked = time.monotonic()
            decision = check_account(account_key=account, amount=D("0.0001"), at=datetime.now(UTC), call=call)  # noqa: TID251
            with lock:
                slowest[0] = max(slowest[0], time.monotonic() - asked)
                verdicts[decision.verdict, expected] += 1
            turn += 1
            ahead = began + (turn - number) * THREADS / RATE - time.monotonic()
            if ahead > 0:
                pause.wait(ahead)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    pause = threading.Event()
    for _ in range(WIPES):
        pause.wait(SECONDS / (WIPES + 1))
        redis_server.flushdb()
    for thread in threads:
        thread.join()
    asked_for = sum(verdicts.values())
    wrong: dict[Any, int] = {pair: count for pair, count in verdicts.items() if pair[0] != pair[1]}
    assert wrong == {}
    assert asked_for > len(questions) * WIPES
    if FULL:
        with capsys.disabled():
            print(  # noqa: T201 - what `make attack` is for
                f"\n{asked_for} decisions in {SECONDS:.0f} s ({asked_for / SECONDS:.0f} a second), Redis wiped {WIPES} times:"
                f" {len(wrong)} wrong, the slowest took {slowest[0] * 1000:.0f} ms"
            )
