"""A key may ask so often a minute; while Redis is away, as often as it likes."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from redis import Redis

from tests.cast import Api, Company
from wallets.redis_client import redis_failures, try_redis_again


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    monkeypatch.setattr("billing_site.api.throttles.time.time", lambda: 1_000_000_000.0)


def test_a_key_that_asks_too_often_waits(vendor: Api, acme: Company, redis_server: Redis) -> None:
    assert [vendor.get("/accounts").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = vendor.get("/accounts")
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert acme.api.get("/accounts").status_code == 200


def test_no_limit_is_none(vendor: Api, settings: Settings, redis_server: Redis) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    assert {vendor.get("/accounts").status_code for _ in range(5)} == {200}


def test_keys_cannot_be_tried_one_after_the_other(acme: Company, settings: Settings, redis_server: Redis) -> None:
    settings.API_REFUSALS_PER_MINUTE = 2
    guess = Api("key_not_one_of_ours")
    assert [guess.get("/accounts").status_code for _ in range(4)] == [401, 401, 429, 429]
    assert guess.get("/accounts")["Retry-After"] == "60"
    assert acme.api.get("/accounts").status_code == 200, "who has a key is not kept out"


def test_without_redis_nobody_waits_and_the_failure_is_counted(vendor: Api, settings: Settings) -> None:
    before = redis_failures()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try_redis_again()
    assert {vendor.get("/accounts").status_code for _ in range(5)} == {200}
    assert redis_failures() > before
    try_redis_again()
