"""POST /authorize as a vendor's service asks it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from metering.caps.set_cap import CapTerms, set_cap
from metering.gate.estimate import price_estimate
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from tests.factories.balances import AT, spend, wallet_of
from tests.factories.prices import llm_prices
from wallets import clock
from wallets.accounts.models import Account
from wallets.api_keys.issue import issue_api_key
from wallets.balances.policy import set_policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

CALL = {"model": "gpt-5", "input_tokens": 1_000, "output_tokens": "200"}


@pytest.fixture(autouse=True)
def _now_and_here(settings: Any) -> Any:
    settings.TOP_UP_URL = "https://pay.example/{account}"
    with clock.set_to(AT):
        yield


def authorize(body: Any, *, scopes: tuple[str, ...] = ("gate:check",), account: Account | None = None) -> Any:
    issued = issue_api_key(name="service", scopes=scopes, account=account, at=AT)
    text = body if isinstance(body, str) else json.dumps(body)
    return Client(headers={"Authorization": f"Bearer {issued.secret}"}).post(
        "/api/v1/authorize", text, content_type="application/json"
    )


def test_a_call_that_credit_covers_is_allowed() -> None:
    wallet_of("acme", credit="41.2")
    answer = authorize({"account": "acme", "amount": "41.2"})
    body = answer.json()
    assert answer.status_code == 200
    assert body.pop("authorization").startswith("auth_")
    assert body == {
        "decision": "allow", "reason": None, "available": "41.20", "currency": "USD", "retry_after": None,
        "top_up_url": "https://pay.example/acme",
    }  # fmt: skip
    assert (answer.headers["X-Balance-Available"], answer.headers["X-Balance-Version"]) == ("41.20", "1")


def test_a_refused_call_is_200_too_and_has_no_authorization() -> None:
    spend(wallet_of("acme", credit="1"), "1")
    answer = authorize({"account": "acme", "amount": 0.000001})
    assert answer.status_code == 200
    assert answer.json() == {
        "decision": "refuse", "reason": "balance_exhausted", "available": "0.00", "currency": "USD", "retry_after": None,
        "top_up_url": "https://pay.example/acme", "authorization": None,
    }  # fmt: skip


def test_a_throttled_call_is_told_when_to_come_back() -> None:
    wallet = wallet_of("acme")
    set_policy(wallet_id=wallet.pk, on_empty="throttle", throttle_per_minute=1, at=AT)
    authorize({"account": "acme", "amount": "1"})
    body = authorize({"account": "acme", "amount": "1"}).json()
    assert (body["decision"], body["reason"], body["retry_after"]) == ("throttle", "rate_limited", 60)


def test_amounts_are_compared_exactly_whether_text_or_number() -> None:
    for account, mark in (("acme", '"'), ("globex", "")):
        wallet_of(account, credit="0.100000000001")
        for amount, decision in (("0.100000000002", "refuse"), ("0.100000000001", "allow")):
            body = f'{{"account": "{account}", "amount": {mark}{amount}{mark}}}'
            assert authorize(body).json()["decision"] == decision


def test_what_was_authorised_is_reserved_until_its_event_arrives_or_it_lapses() -> None:
    llm_prices(input_tokens="0.00001", output_tokens="0.00001")
    wallet_of("acme", credit="1")
    first = authorize({"account": "acme", "amount": "0.7", "ttl_seconds": 30}).json()
    assert authorize({"account": "acme", "amount": "0.4"}).json()["reason"] == "balance_exhausted"
    event = usage_input(
        event_id="e1", event_type="llm.request", account="acme", time=AT, properties=CALL | {"output_tokens": 0}
    )
    event.authorization = first["authorization"]
    assert ingest_batch(events=[event], at=AT).accepted == 1
    left = authorize({"account": "acme", "amount": "0.4"}).json()
    assert (left["decision"], left["available"]) == ("allow", "0.99")
    assert authorize({"account": "acme", "amount": "0.6"}).json()["decision"] == "refuse"
    with clock.set_to(AT + timedelta(seconds=60)):
        assert authorize({"account": "acme", "amount": "0.6"}).json()["decision"] == "allow"


def test_the_authorization_of_another_account_ends_nothing() -> None:
    llm_prices(input_tokens="0.00001", output_tokens="0.00001")
    wallet_of("acme", credit="1")
    wallet_of("globex", credit="1")
    lease = authorize({"account": "acme", "amount": "0.7"}).json()["authorization"]
    event = usage_input(event_id="e1", event_type="llm.request", account="globex", time=AT, properties=CALL)
    event.authorization = lease
    assert ingest_batch(events=[event], at=AT).accepted == 1
    assert authorize({"account": "acme", "amount": "0.4"}).json()["decision"] == "refuse"


@pytest.mark.parametrize("seconds", [0, 3_601, -1])
def test_nothing_is_reserved_forever(seconds: int) -> None:
    wallet_of("acme", credit="1")
    answer = authorize({"account": "acme", "amount": "0.7", "ttl_seconds": seconds})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["ttl_seconds"])


def test_a_spend_cap_of_whoever_calls_refuses() -> None:
    llm_prices(input_tokens="0.00001", output_tokens="0.00001")
    acme = wallet_of("acme", credit="100").account
    set_cap(account=acme, terms=CapTerms(scope="user", window="day", limit=D("0.01"), currency="USD"), at=AT)
    call = {"account": "acme", "type": "llm.request", "properties": CALL | {"user": "u_1", "output_tokens": 0}}
    assert authorize(call).json()["decision"] == "allow"
    call["properties"] = CALL | {"user": "u_2", "output_tokens": 100_000}
    assert authorize(call).json()["reason"] == "spend_cap"
    assert authorize({"account": "acme", "amount": "0.02", "user": "u_3"}).json()["reason"] == "spend_cap"
    assert authorize({"account": "acme", "amount": "0.02"}).json()["decision"] == "allow"


def test_an_estimate_is_priced_as_its_event_would_be() -> None:
    llm_prices(input_tokens="0.000002", output_tokens="0.00001")
    acme = wallet_of("acme", credit="0.004")
    assert price_estimate(account_id=acme.account_id, event_type="llm.request", properties=CALL, at=AT).amount == D("0.004")
    call = {"account": "acme", "type": "llm.request", "properties": CALL}
    assert authorize(call).json()["decision"] == "allow"
    call["properties"] = {**CALL, "input_tokens": 1_001}
    assert authorize(call).json()["reason"] == "balance_exhausted"


def test_an_estimate_is_about_the_wallet_its_event_would_be_charged_to() -> None:
    llm_prices(input_tokens="0.000002", output_tokens="0.00001", currency="EUR")
    wallet_of("acme", credit="5")
    call = {"account": "acme", "type": "llm.request", "properties": CALL}
    assert authorize(call).json()["currency"] == "EUR"
    assert authorize(call).json()["reason"] == "balance_exhausted"
    wallet_of("acme", credit="5", currency="EUR")
    assert authorize(call).json()["decision"] == "allow"


def test_an_estimate_no_price_fits_asks_whether_anything_is_left() -> None:
    llm_prices(input_tokens="0.000002", output_tokens="0.00001")
    wallet = wallet_of("acme", credit="0.001")
    call = {"account": "acme", "type": "llm.request", "properties": {"model": "other", "input_tokens": 10**9}}
    assert authorize(call).json()["decision"] == "allow"
    spend(wallet, "0.001")
    assert authorize(call).json()["decision"] == "refuse"


def test_a_key_without_the_scope_or_of_another_account_learns_nothing() -> None:
    acme, _ = wallet_of("acme", credit="1"), wallet_of("globex", credit="1")
    assert authorize({"account": "acme", "amount": "1"}, scopes=("events:write",)).status_code == 403
    assert authorize({"account": "acme", "amount": "1"}, account=acme.account).status_code == 200
    for body in ({"account": "globex", "amount": "1"}, {"account": "globex", "type": "llm.request"}):
        answer = authorize(body, account=acme.account)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")
    assert Client().post("/api/v1/authorize", "{}", content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 422),
        ('{"account": "acme", "amount": NaN}', 400),
        ({"account": "acme"}, 422),
        ({"account": "acme", "amount": "1", "type": "llm.request"}, 422),
        ({"account": "acme", "amount": "-1"}, 422),
        ({"account": "acme", "amount": "0.0000000000001"}, 422),
        ({"account": "acme", "amount": "1" + "0" * 19}, 422),
        ({"account": "acme", "amount": "1", "currency": "usd"}, 422),
        ({"account": "acme", "amount": "1", "colour": "red"}, 422),
        ({"account": 7, "amount": "1"}, 422),
        ({"account": "nobody", "amount": "1"}, 404),
        ({"account": "nobody", "type": "llm.request"}, 404),
        ({"account": "acme", "type": "no.such"}, 422),
        ({"account": "acme", "type": "llm.request", "properties": {"model": "gpt-5", "input_tokens": "many"}}, 422),
        ({"account": "acme", "type": "llm.request", "properties": {"model": "gpt-5", "input_tokens": -1}}, 422),
        ({"account": "acme", "type": "llm.request", "properties": {"model": ["gpt-5"], "input_tokens": 1}}, 200),
        ({"account": "acme", "type": "llm.request", "properties": []}, 422),
    ],
)
def test_bad_questions_are_answered(body: Any, status: int) -> None:
    llm_prices(input_tokens="0.000002", output_tokens="0.00001")
    wallet_of("acme", credit="1")
    assert authorize(body).status_code == status
