"""A decision comes from Redis, else from the API, else from the account's own policy for an outage."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from metering.caps.set_cap import CapTerms, set_cap
from metering.gate.client.gate import Gate
from metering.gate.client.outage import Outage
from tests.factories.balances import AT, wallet_of
from tests.metering.gate.client.conftest import recorded, service_gate
from tests.web import Site
from wallets.api_keys.issue import issue_api_key
from wallets.balances.publish import publish_reading, take_ticket
from wallets.balances.published import PublishedAccount, PublishedCap, PublishedWallet
from wallets.credit.grant import grant_allowance
from wallets.redis_client import redis_client

NO_REDIS = "redis://127.0.0.1:1/0"


def publish(
    available: str, *, on_outage: str = "closed", allowance: str = "0", caps: Sequence[PublishedCap] = (), **policy: Any
) -> None:
    """acme, as the back office publishes it."""
    terms = {"on_empty": "block", "grace_limit": D(0), "throttle_per_minute": 10} | policy
    wallet = PublishedWallet(
        id=1, public_id="wal_1", currency="USD", status="ACTIVE", is_default=True, available=D(available), overdraft=D(0),
        version=3, **terms,
    )  # fmt: skip
    account = PublishedAccount(1, "acme", "ACTIVE", "USD", (wallet,), on_outage, D(allowance), tuple(caps))
    publish_reading([account], ticket=take_ticket())


def cut_off(gate: Gate) -> None:
    """Redis is away from now on; the API never was there."""
    gate._link.close()
    gate._link = service_link(NO_REDIS)


def service_link(url: str) -> Any:
    from wallets.redis_link import RedisLink  # noqa: PLC0415 - beside its only use

    return RedisLink(url)


def test_redis_decides_in_one_round_trip(gate: Gate) -> None:
    publish("1.50")
    assert gate.decide("acme", amount=D("1.5")).allowed
    answer = gate.decide("acme", amount=D("1.500000000001"))
    assert (answer.allowed, answer.status, answer.reason, answer.source) == (False, 402, "balance_exhausted", "redis")
    assert (answer.available, answer.currency, answer.version) == (D("1.5"), "USD", 3)

    def scripts() -> int:
        return int(redis_client().info("commandstats")["cmdstat_evalsha"]["calls"])

    before = scripts()
    for _ in range(10):
        gate.decide("acme")
    assert scripts() - before == 10


def test_a_throttled_call_says_when_to_come_back(gate: Gate) -> None:
    publish("0", on_empty="throttle", throttle_per_minute=1)
    assert gate.decide("acme").allowed
    answer = gate.decide("acme")
    assert (answer.status, answer.reason) == (429, "rate_limited")
    assert answer.retry_after_seconds is not None
    assert 0 < answer.retry_after_seconds <= 60


def test_with_nobody_to_ask_an_unknown_account_is_closed(gate: Gate) -> None:
    answer = gate.decide("nobody")
    assert (answer.allowed, answer.status, answer.reason, answer.source) == (False, 503, "gate_unreachable", "outage")


def test_a_closed_account_waits_until_the_stores_are_back(gate: Gate) -> None:
    publish("100", on_outage="closed", allowance="100")
    assert gate.decide("acme", amount=D(1)).allowed
    cut_off(gate)
    assert gate.decide("acme", amount=D(1)).status == 503


def test_an_open_account_goes_on_up_to_its_allowance_and_no_further(gate: Gate) -> None:
    publish("100", on_outage="open", allowance="1.00")
    assert gate.decide("acme", amount=D("0.4")).allowed
    here = gate._link
    cut_off(gate)
    answers = [gate.decide("acme", amount=D("0.4")) for _ in range(4)]
    assert [answer.allowed for answer in answers] == [True, True, False, False]
    assert {answer.source for answer in answers} == {"outage"}
    assert not gate.decide("acme").allowed, "of unknown cost"
    assert gate.decide("acme", amount=D("0.2")).allowed
    gate._link = here
    assert gate.decide("acme").source == "redis"
    cut_off(gate)
    assert gate.decide("acme", amount=D(1)).allowed, "the allowance is whole again"


def test_a_call_of_unknown_cost_counts_for_what_was_said() -> None:
    outage = Outage(call_counts_for=D("0.3"))
    outage.remember("acme", on_outage="open", allowance=D(1))
    assert [outage.lets_through("acme", None) for _ in range(4)] == [True, True, True, False]
    assert outage.left("acme") == D("0.1")
    outage.remember("acme", on_outage="closed", allowance=D(1))
    assert not outage.lets_through("acme", D(0))


def test_a_full_spool_lets_no_call_begin_and_loses_none_that_did(tmp_path: Path, redis_server: Any) -> None:
    gate = service_gate(tmp_path, spool_max_bytes=300)
    publish("100")
    count = 0
    while gate.decide("acme").allowed:
        gate.record(account="acme", event_type="llm.request", properties={"tokens": 1})
        count += 1
    assert gate.decide("acme").reason == "usage_spool_full"
    gate.record(account="acme", event_type="llm.request", properties={"tokens": 1})
    assert len(recorded(gate)) == count + 1
    gate.close()


def test_an_event_is_written_down_before_it_is_acknowledged(gate: Gate) -> None:
    event_id = gate.record(account="acme", event_type="llm.request", properties={"tokens": 12, "share": D("0.1"), "user": "ü"})
    named = gate.record(account="acme", event_type="ping", properties={}, event_id="call-7", at=AT, authorization="auth_1")
    first, second = recorded(gate)
    assert (first["id"], first["properties"]) == (event_id, {"tokens": 12, "share": "0.1", "user": "ü"})
    assert named == "call-7"
    assert second == {
        "id": "call-7", "type": "ping", "account": "acme", "time": AT.isoformat(), "properties": {},
        "authorization": "auth_1",
    }  # fmt: skip
    with pytest.raises(TypeError):
        gate.record(account="acme", event_type="ping", properties={"when": AT})


@pytest.mark.django_db(transaction=True)
def test_what_redis_does_not_know_the_api_decides_and_publishes(tmp_path: Path, redis_server: Any) -> None:
    wallet_of("acme", credit="5")
    key = issue_api_key(name="service", scopes=["gate:check", "events:write"], at=AT).secret
    with Site() as site:
        gate = service_gate(tmp_path, api_url=site.url, api_key=key)
        redis_client().flushdb()
        answer = gate.decide("acme", amount=D(5))
        assert (answer.allowed, answer.source, answer.available) == (True, "api", D(5))
        assert gate.decide("acme", amount=D(5)).source == "redis"
        assert (gate.decide("nobody").status, gate.decide("nobody").reason) == (403, "unknown_account")
        cut_off(gate)
        refused = gate.decide("acme", amount=D("5.01"))
        assert (refused.status, refused.reason, refused.source, refused.currency) == (402, "balance_exhausted", "api", "USD")
        gate.close()


@pytest.mark.django_db(transaction=True)
def test_who_calls_and_what_for_decide_in_redis_and_over_the_api_alike(tmp_path: Path, redis_server: Any) -> None:
    acme = wallet_of("acme")
    grant_allowance(wallet_id=acme.pk, meter="calls", quantity=D(5), at=AT)
    set_cap(account=acme.account, terms=CapTerms("user", "total", D(0), value="u_1", currency="USD"), at=AT)
    key = issue_api_key(name="service", scopes=["gate:check", "events:write"], at=AT).secret
    with Site() as site:
        gate = service_gate(tmp_path, api_url=site.url, api_key=key)
        for source in ("redis", "api"):
            for asked, reason in (
                ({}, None),
                ({"meter": "tokens"}, "balance_exhausted"),
                ({"who": {"user": "u_2"}}, None),
                ({"who": {"user": "u_1"}, "meter": "calls"}, "spend_cap"),
            ):
                answer = gate.decide("acme", **asked)  # type: ignore[arg-type]
                assert (answer.reason, answer.source) == (reason, source)
            cut_off(gate)
        gate.close()
