"""Live traffic goes through the front door: gate, event, top-up; what fails is waited out."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing_site.demo import traffic as module
from billing_site.demo.company import seed_demo
from billing_site.demo.customers import CUSTOMERS, CustomerPlan
from billing_site.demo.traffic import SCOPES, KeyEnded, SiteAway, Traffic
from metering.usage.models import UsageEvent
from wallets import clock
from wallets.api_keys.issue import issue_api_key
from wallets.balances.models import Wallet

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Stop(Event):
    """Set after so many looks; nobody waits."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Look once."""
        self.pauses.append(timeout or 0)
        self.left -= 1
        return self.left < 0


def traffic_to(url: str, *, secret: str | None = None) -> Traffic:
    """A gateway with a key of the right scopes."""
    secret = secret or issue_api_key(name="gateway", scopes=SCOPES, at=clock.now()).secret
    return Traffic(url, secret, 1_000.0, clock.now, rng=random.Random(7))


def only(monkeypatch: pytest.MonkeyPatch, key: str, **changes: Any) -> CustomerPlan:
    """Let one customer be all there are."""
    plan = replace(next(plan for plan in CUSTOMERS if plan.key == key), **changes)
    monkeypatch.setattr(module, "CUSTOMERS", (plan,))
    return plan


@pytest.fixture
def site(live_server: Any, redis_server: object) -> str:
    """The site, serving, with a small demo company."""
    seed_demo(at=AT, days=1, events=30)
    return str(live_server.url)


def test_requests_of_customers_are_charged(site: str) -> None:
    before = UsageEvent.objects.count()
    traffic = traffic_to(site)
    traffic.run(Stop(20), on_problem=pytest.fail)
    assert traffic.counts["events"] + traffic.counts["stopped"] == 20
    assert traffic.counts["events"] >= 10
    assert UsageEvent.objects.count() == before + traffic.counts["events"]


def test_a_customer_whose_wallet_is_frozen_is_stopped_by_the_gate(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "icebox")
    before = UsageEvent.objects.count()
    traffic = traffic_to(site)
    traffic.send_one()
    assert traffic.counts == {"stopped": 1}
    assert UsageEvent.objects.count() == before


def test_a_customer_who_recharges_tops_up_when_the_balance_is_low(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = only(monkeypatch, "globex")
    before = Wallet.objects.get(account__key="globex").balance
    assert before < plan.paying.below  # everything at the scale of thirty events
    traffic = traffic_to(site)
    traffic.send_one()
    assert traffic.counts == {"events": 1, "top-ups": 1}
    after = Wallet.objects.get(account__key="globex").balance
    assert before + plan.paying.amount - Decimal(1) < after <= before + plan.paying.amount


def test_while_the_site_is_away_it_is_waited_for_longer_and_longer_and_told_once() -> None:
    told: list[str] = []
    stop = Stop(8)
    traffic = traffic_to("http://127.0.0.1:9")
    traffic.run(stop, on_problem=told.append)
    assert len(told) == 1
    assert traffic.counts == {"failed": 8}
    assert stop.pauses[1:] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_key_that_ended_ends_the_traffic(live_server: Any) -> None:
    with pytest.raises(KeyEnded):
        traffic_to(live_server.url, secret="key_unknown").run(Stop(3), on_problem=pytest.fail)


def test_an_answer_that_makes_no_sense_counts_as_a_failure(live_server: Any) -> None:
    with pytest.raises(SiteAway, match="the gate answered"):
        traffic_to(f"{live_server.url}/nowhere").send_one()


def test_without_a_demo_company_the_command_says_so() -> None:
    with pytest.raises(CommandError, match="seed_demo"):
        call_command("traffic")
