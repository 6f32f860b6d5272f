"""A wallet of 5.00 under attack through holds, over HTTP, from many processes at once: what is charged never exceeds 5.00 and
the grace limit, and a refused call is never charged; also while Redis is flushed, and while it is killed and restarted.

By default few and small; `make attack` (ATTACK=full) is the whole size, and prints a table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any, Final

import pytest

from billing_site.benchmarks.web import web_processes
from metering.usage.models import UsageEvent
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.concurrency.attackers import Call, Orders
from tests.concurrency.battlefield import OwnValkey, beside, served_here, valkey
from wallets.accounts.models import Account
from wallets.accounts.open import open_account
from wallets.api_keys.issue import issue_api_key
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.balances.policy import set_policy
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.money import ZERO

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("books_hold")]

__all__ = ["served_here", "valkey"]  # fixtures of this file

PROJECT: Final = Path(__file__).parents[2]
SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
CREDIT: Final = D(5)
ABOVE: Final = ("excess", "refuse", "cap")


@dataclass(frozen=True)
class Size:
    """How large the attack is. seeds: runs for each way Redis fares."""

    processes: int
    clients: int
    calls: int
    seeds: int


FULL: Final = os.environ.get("ATTACK") == "full"
SIZE: Final = Size(8, 8, 4, 50) if FULL else Size(2, 8, 4, 1)


@dataclass(frozen=True)
class Outcome:
    """What one run came to."""

    seed: int
    above: str
    grace: D
    placed: int
    refused: int
    captured: int
    not_captured: int
    charged: D
    forgiven: D


def set_up_prices() -> str:
    """Work costs as many cents as it says; gives an API key."""
    define_meter(code="cents", event_type="work", aggregation="sum", property="cents", at=SINCE)
    book = create_price_book(name="List", currency="USD", at=SINCE, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="cents", unit_price=D("0.01"))], at=SINCE)
    publish_version(version=version, effective_at=SINCE, at=SINCE)
    return issue_api_key(name="gateway", scopes=["holds:write"], at=SINCE).secret


def open_target(name: str, seed: int) -> Wallet:
    """A wallet with 5.00; by seed, with or without grace, and one policy after the other for calls above their hold."""
    account = open_account(key=name, name=name, at=SINCE)
    Account.objects.filter(pk=account.pk).update(capture_above=ABOVE[seed % 3])
    wallet = open_wallet(account=account, currency="USD", at=SINCE)
    grant_credit(wallet_id=wallet.pk, amount=CREDIT, kind="paid", at=SINCE)
    if seed % 2:
        set_policy(wallet_id=wallet.pk, on_empty="grace", grace_limit=D("1.00"), at=SINCE)
    return Wallet.objects.select_related("account").get(pk=wallet.pk)


def let_loose(orders: list[Orders]) -> list[Call]:
    """What the attackers saw, each in a process of its own, all at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.attackers"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in orders
    ]
    for process, order in zip(processes, orders, strict=True):
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(order)))
        process.stdin.close()
    calls: list[Call] = []
    for process in processes:
        assert process.stdout is not None
        told = process.stdout.read()
        process.stdout.close()
        assert process.wait() == 0
        calls += [Call(**call) for call in json.loads(told)]
    return calls


def attack(address: str, api_key: str, name: str, seed: int) -> Outcome:
    """One run; what must hold after it is asserted here."""
    wallet = open_target(f"{name}-{seed}", seed)
    grace = wallet.grace_limit if wallet.on_empty == "grace" else ZERO
    calls = let_loose(
        [
            Orders(address, api_key, wallet.account.key, 1000 * seed + process, SIZE.clients, SIZE.calls, cents=50)
            for process in range(SIZE.processes)
        ]
    )
    assert {call.placed for call in calls} <= {201, 402}
    assert {call.captured for call in calls} <= {0, 200, 402, 409}
    now = Wallet.objects.get(pk=wallet.pk)
    charged = CREDIT - now.balance
    assert charged <= CREDIT + grace, "more was charged than there is"
    assert now.overdraft <= grace
    told = sum((D(call.charged) for call in calls if call.captured == 200), ZERO)
    assert charged == told, "the clients were told of other charges than the wallet has"
    known = set(UsageEvent.objects.filter(account=wallet.account).values_list("event_id", flat=True))
    assert known == {call.event for call in calls if call.captured == 200 and call.event}, "a refused call left an event"
    holds = Hold.objects.filter(wallet=wallet)
    assert holds.count() == sum(call.placed == 201 for call in calls), "a refused hold exists"
    refused = {call.hold for call in calls if call.captured in {402, 409}}
    assert not holds.filter(public_id__in=refused, captured__gt=0).exists(), "a refused call was charged"
    given = CreditLot.objects.filter(wallet=wallet, kind="compensation").values_list("amount", flat=True)
    return Outcome(
        seed,
        wallet.account.capture_above,
        grace,
        placed=sum(call.placed == 201 for call in calls),
        refused=sum(call.placed == 402 for call in calls),
        captured=sum(call.captured == 200 for call in calls),
        not_captured=sum(call.captured in {402, 409} for call in calls),
        charged=charged,
        forgiven=sum(given, ZERO),
    )


def table(name: str, outcomes: list[Outcome]) -> str:
    """The runs as lines."""
    heading = f"{name}: {SIZE.processes} processes x {SIZE.clients} clients, {SIZE.calls} calls each, on {CREDIT}.00 USD"
    lines = [heading, "seed  above   grace  holds  refused  captured  not captured  charged  vendor's"]
    lines += [
        f"{o.seed:4}  {o.above:6}  {o.grace:5.2f}  {o.placed:5}  {o.refused:7}  {o.captured:8}  {o.not_captured:12}"
        f"  {o.charged:7.2f}  {o.forgiven:8.2f}"
        for o in outcomes
    ]
    most = max(o.charged - o.grace for o in outcomes)
    return "\n".join([*lines, f"{len(outcomes)} runs; charged beyond the grace limit at most {most:.2f} of {CREDIT}.00", ""])


@pytest.mark.usefixtures("served_here")
def test_what_is_charged_never_exceeds_credit_and_grace(valkey: OwnValkey, capsys: pytest.CaptureFixture[str]) -> None:
    api_key = set_up_prices()
    step: dict[str, Callable[[], Any]] = {"well": lambda: None, "flushed": valkey.flush, "killed": valkey.kill}
    with web_processes() as address:
        for number, redis_is in enumerate(step):
            with beside(step[redis_is]):
                seeds = range(1, SIZE.seeds + 1) if FULL else [number + 1]
                outcomes = [attack(address, api_key, redis_is, seed) for seed in seeds]
            assert sum(o.refused for o in outcomes) > 0, "nobody was refused: the attack does not attack"
            assert max(o.charged for o in outcomes) > CREDIT / 2, "hardly anything was charged: the attack does not attack"
            if FULL:
                with capsys.disabled():
                    print("\n" + table(f"Redis {redis_is}", outcomes))  # noqa: T201 - what `make attack` is for
    assert valkey.flushed > 0
    assert valkey.killed > 0


@pytest.mark.usefixtures("served_here")
def test_control_without_the_comparison_the_same_attack_gets_more_than_there_is() -> None:
    api_key = set_up_prices()
    with (
        web_processes(application="tests.concurrency.unguarded:application") as address,
        pytest.raises(AssertionError, match="more was charged than there is"),
    ):
        attack(address, api_key, "unguarded", 2)
