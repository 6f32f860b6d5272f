"""A wallet of 5.00 under attack through /authorize, over HTTP, from many processes at once. Calls that cost no more than their
estimate never charge more than 5.00; calls that cost more go beyond it by no more than what each caller's one call in flight
cost above its estimate; while Redis is flushed, or killed and restarted, by no more than one call per caller. A refused call
is never charged.

By default few and small; `make attack` (ATTACK=full) is the whole size, and prints a table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
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
from tests.concurrency.battlefield import OwnValkey, beside, served_here, valkey
from tests.concurrency.soft_attackers import SoftCall, SoftOrders
from tests.factories.balances import wallet_of
from wallets.api_keys.issue import issue_api_key
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("books_hold")]

__all__ = ["served_here", "valkey"]  # fixtures of this file

PROJECT: Final = Path(__file__).parents[2]
SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
CENTS: Final = 500
FULL: Final = os.environ.get("ATTACK") == "full"


@dataclass(frozen=True)
class Size:
    """How large the attack is. seeds: runs for each way Redis fares."""

    processes: int
    clients: int
    calls: int
    seeds: int


SIZE: Final = Size(8, 8, 5, 50) if FULL else Size(2, 8, 6, 1)


@dataclass(frozen=True)
class Outcome:
    """What one run came to, in cents. bound: how far beyond the credit charges may go."""

    seed: int
    allowed: int
    refused: int
    charged: int
    bound: int

    @property
    def overshoot(self) -> int:
        return max(self.charged - CENTS, 0)


def set_up_prices() -> str:
    """Work costs as many cents as it says; gives an API key."""
    define_meter(code="cents", event_type="work", aggregation="sum", property="cents", at=SINCE)
    book = create_price_book(name="List", currency="USD", at=SINCE, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="cents", unit_price=D("0.01"))], at=SINCE)
    publish_version(version=version, effective_at=SINCE, at=SINCE)
    return issue_api_key(name="gateway", scopes=["gate:check", "events:write"], at=SINCE).secret


def let_loose(orders: list[SoftOrders]) -> list[SoftCall]:
    """What the attackers did, each in a process of its own, all at once."""
    command = [sys.executable, "-m", "tests.concurrency.soft_attackers"]
    processes = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in orders
    ]
    for process, order in zip(processes, orders, strict=True):
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(order)))
        process.stdin.close()
    calls: list[SoftCall] = []
    for process in processes:
        assert process.stdout is not None
        told = process.stdout.read()
        process.stdout.close()
        assert process.wait() == 0
        calls += [SoftCall(**call) for call in json.loads(told)]
    return calls


def one_call_each(calls: Iterable[SoftCall], cost: Callable[[SoftCall], int]) -> int:
    """The dearest call of each caller, added up."""
    dearest: dict[str, int] = defaultdict(int)
    for call in calls:
        if call.allowed:
            caller = call.event.rpartition("-")[0]
            dearest[caller] = max(dearest[caller], cost(call))
    return sum(dearest.values())


def attack(address: str, api_key: str, name: str, seed: int, *, above: bool, redis_is_well: bool) -> Outcome:
    """One run; what must hold after it is asserted here."""
    wallet = wallet_of(f"{name}-{seed}", credit="5", at=SINCE)
    calls = let_loose(
        [
            SoftOrders(address, api_key, f"{name}-{seed}", 1000 * seed + process, SIZE.clients, SIZE.calls, 50, above)
            for process in range(SIZE.processes)
        ]
    )
    charged = int((5 - Wallet.objects.get(pk=wallet.pk).balance) * 100)
    assert charged == sum(call.cost for call in calls if call.allowed), "not what was allowed is charged"
    known = set(UsageEvent.objects.filter(account=wallet.account_id).values_list("event_id", flat=True))
    assert known == {call.event for call in calls if call.allowed}, "a refused call was charged"
    bound = one_call_each(calls, lambda call: max(call.cost - call.estimate, 0) if redis_is_well else call.cost)
    outcome = Outcome(seed, len(known), len(calls) - len(known), charged, bound)
    assert outcome.overshoot <= bound, f"beyond the bound: {outcome}"
    return outcome


def table(name: str, outcomes: list[Outcome]) -> str:
    """The runs as lines."""
    lines = [f"{name}: {SIZE.processes} processes x {SIZE.clients} clients, {SIZE.calls} calls each, on 5.00 USD"]
    lines += ["seed  allowed  refused  charged  beyond  bound"]
    lines += [
        f"{o.seed:4}  {o.allowed:7}  {o.refused:7}  {o.charged / 100:7.2f}  {o.overshoot / 100:6.2f}  {o.bound / 100:5.2f}"
        for o in outcomes
    ]
    most = max(o.overshoot for o in outcomes)
    return "\n".join([*lines, f"{len(outcomes)} runs; at most {most / 100:.2f} beyond 5.00, never beyond the bound", ""])


@pytest.mark.usefixtures("served_here")
@pytest.mark.parametrize(
    ("site", "cases"),
    [
        ("tests.concurrency.patient:application", [("within", "well", False), ("above", "well", True)]),
        ("billing_site.wsgi:application", [("flushed", "flushed", True), ("killed", "killed", True)]),
    ],
)
def test_soft_checks_go_beyond_the_credit_by_no_more_than_the_bound(
    valkey: OwnValkey, site: str, cases: list[tuple[str, str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    api_key = set_up_prices()
    step: dict[str, Callable[[], Any]] = {"well": lambda: None, "flushed": valkey.flush, "killed": valkey.kill}
    with web_processes(application=site) as address:
        for name, redis_is, above in cases:
            with beside(step[redis_is]):
                outcomes = [
                    attack(address, api_key, name, seed, above=above, redis_is_well=redis_is == "well")
                    for seed in range(1, SIZE.seeds + 1)
                ]
            assert sum(o.refused for o in outcomes) > 0, "nobody was refused: the attack does not attack"
            if FULL:
                with capsys.disabled():
                    print("\n" + table(name, outcomes))  # noqa: T201 - what `make attack` is for
    treated = {redis_is for _, redis_is, _ in cases}
    assert (valkey.flushed > 0, valkey.killed > 0) == ("flushed" in treated, "killed" in treated)


@pytest.mark.usefixtures("served_here")
def test_control_without_leases_calls_within_their_estimates_charge_more_than_there_is() -> None:
    api_key = set_up_prices()
    with (
        web_processes(application="tests.concurrency.unleased:application") as address,
        pytest.raises(AssertionError, match="beyond the bound"),
    ):
        attack(address, api_key, "unleased", 1, above=False, redis_is_well=True)
