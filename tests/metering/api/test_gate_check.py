"""GET /gate/check as a reverse proxy asks it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories.balances import AT, spend, wallet_of
from wallets import clock
from wallets.accounts.models import Account
from wallets.accounts.suspend import suspend_account
from wallets.api_keys.issue import issue_api_key
from wallets.balances.policy import set_policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]


@pytest.fixture(autouse=True)
def _now_and_here(settings: Any) -> Any:
    settings.TOP_UP_URL = "https://pay.example/{account}"
    with clock.set_to(AT):
        yield


def key(*scopes: str, account: Account | None = None) -> dict[str, str]:
    issued = issue_api_key(name="gateway", scopes=scopes or ["gate:check"], account=account, at=AT)
    return {"Authorization": f"Bearer {issued.secret}"}


def check(query: str = "", **headers: str) -> Any:
    return Client(headers=headers).get(f"/gate/check{query}")


def test_allow_is_204_with_the_balance_in_its_headers() -> None:
    wallet_of("acme", credit="41.2")
    answer = check("?account=acme", **key())
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["X-Billing-Decision"] == "allow"
    assert answer.headers["X-Balance-Available"] == "41.20"
    assert answer.headers["X-Balance-Version"] == "1"
    assert "X-Billing-Reason" not in answer.headers


def test_the_account_may_be_named_in_a_header() -> None:
    wallet_of("acme", credit="1")
    assert check(**key(), **{"X-Account": "acme"}).status_code == 204


def test_refuse_is_402_and_says_what_is_missing_and_where_to_top_up() -> None:
    spend(wallet_of("acme", credit="1"), "0.75")
    answer = check("?account=acme&amount=0.50", **key())
    assert (answer.status_code, answer.headers["Content-Type"]) == (402, "application/problem+json")
    assert (answer.headers["X-Billing-Decision"], answer.headers["X-Billing-Reason"]) == ("refuse", "balance_exhausted")
    problem = answer.json()
    assert {name: problem[name] for name in ("status", "code", "reason", "needed", "available", "currency", "top_up_url")} == {
        "status": 402, "code": "balance_exhausted", "reason": "balance_exhausted", "needed": "0.50", "available": "0.25",
        "currency": "USD", "top_up_url": "https://pay.example/acme",
    }  # fmt: skip


def test_a_suspended_account_is_402_with_its_own_reason() -> None:
    wallet = wallet_of("acme", credit="1")
    suspend_account(account=wallet.account, at=AT)
    answer = check("?account=acme", **key())
    assert (answer.status_code, answer.headers["X-Billing-Reason"]) == (402, "account_suspended")


def test_throttle_is_429_and_says_when_to_come_back() -> None:
    wallet = wallet_of("acme")
    set_policy(wallet_id=wallet.pk, on_empty="throttle", throttle_per_minute=1, at=AT)
    credentials = key()
    assert check("?account=acme", **credentials).status_code == 204
    answer = check("?account=acme", **credentials)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert (answer.headers["X-Billing-Decision"], answer.headers["X-Billing-Reason"]) == ("throttle", "rate_limited")


def test_without_a_key_nothing_is_told() -> None:
    wallet_of("acme", credit="1")
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eA=="}, {"Authorization": "Bearer"}):
        answer = check("?account=acme", **headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="gate"')
        assert "X-Balance-Available" not in answer.headers
    assert check("?account=acme", **key("events:write")).status_code == 403


def test_a_key_confined_to_one_account_does_not_learn_of_another() -> None:
    acme, _ = wallet_of("acme", credit="1"), wallet_of("globex", credit="1")
    credentials = key(account=acme.account)
    assert check("?account=acme", **credentials).status_code == 204
    strange, unknown = check("?account=globex", **credentials), check("?account=nobody", **key())
    assert (strange.status_code, unknown.status_code) == (404, 404)
    assert strange.json()["code"] == unknown.json()["code"] == "unknown_account"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?account=", 400),
        ("?account=%00", 400),
        ("?account=acme%0d%0aX-Evil:1", 404),
        ("?account=acme&amount=NaN", 422),
        ("?account=acme&amount=-1", 422),
        ("?account=acme&amount=1e400", 422),
        ("?account=acme&amount=" + "9" * 5_000, 422),
        ("?account=acme&amount=0.0000000000001", 422),
        ("?account=acme&currency=usd", 422),
    ],
)
def test_bad_questions_are_answered(query: str, status: int) -> None:
    wallet_of("acme", credit="1")
    answer = check(query, **key())
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
