"""POST /authorize as a vendor's service asks it."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from metering.gate.estimate import price_estimate
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
    wallet_of("acme", credit="0.100000000001")
    for amount, decision in (("0.100000000001", "allow"), ("0.100000000002", "refuse")):
        assert authorize({"account": "acme", "amount": amount}).json()["decision"] == decision
        assert authorize(f'{{"account": "acme", "amount": {amount}}}').json()["decision"] == decision


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
