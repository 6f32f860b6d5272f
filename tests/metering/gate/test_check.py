"""An account is decided for whatever Redis knows, and whether it is there or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from metering.gate.check import UnknownAccount, check_account
from tests.factories.balances import AT, spend, wallet_of
from wallets.accounts.suspend import reinstate_account, suspend_account
from wallets.balances.freeze import freeze_wallet, thaw_wallet
from wallets.balances.policy import set_policy
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def ask(key: str, amount: str | None = None, currency: str | None = None) -> tuple[str, str | None]:
    decision = check_account(account_key=key, amount=None if amount is None else D(amount), currency=currency, at=AT)
    return decision.verdict, decision.reason


def test_the_gate_follows_every_commit() -> None:
    acme = wallet_of("acme", credit="5")
    assert ask("acme", "5") == ("allow", None)
    spend(acme, "4.999999999999")
    assert ask("acme") == ("allow", None)
    assert ask("acme", "0.000000000002") == ("refuse", "balance_exhausted")
    spend(acme, "0.000000000001")
    assert ask("acme") == ("refuse", "balance_exhausted")
    set_policy(wallet_id=acme.pk, on_empty="grace", grace_limit=D(1), at=AT)
    assert ask("acme", "1") == ("allow", None)
    freeze_wallet(wallet_id=acme.pk, at=AT)
    assert ask("acme") == ("refuse", "wallet_frozen")
    suspend_account(account=acme.account, at=AT)
    assert ask("acme") == ("refuse", "account_suspended")
    reinstate_account(account=acme.account, at=AT)
    thaw_wallet(wallet_id=acme.pk, at=AT)
    assert ask("acme", "1") == ("allow", None)


def test_each_currency_has_its_own_wallet() -> None:
    wallet_of("acme", credit="5")
    wallet_of("acme", currency="EUR")
    assert (ask("acme"), ask("acme", currency="EUR")[0], ask("acme", currency="CREDITS")[0]) == (
        ("allow", None), "refuse", "refuse",
    )  # fmt: skip


@pytest.mark.parametrize("key", ["nobody", "", "no body", "nobody\0", "x" * 500, "no\nbody"])
def test_an_unknown_account_is_named_unknown(key: str) -> None:
    wallet_of("acme", credit="5")
    with pytest.raises(UnknownAccount):
        check_account(account_key=key, amount=None, at=AT)


def test_an_account_redis_does_not_know_is_read_published_and_decided() -> None:
    wallet_of("acme", credit="5")
    redis_client().flushdb()
    with pytest.raises(UnknownAccount):
        ask("globex")
    assert ask("acme", "5") == ("allow", None)
    assert redis_client().hexists("gate:account:acme", "status")


def test_a_commit_into_a_wiped_redis_does_not_hide_the_settings() -> None:
    acme = wallet_of("acme", credit="5")
    freeze_wallet(wallet_id=acme.pk, at=AT)
    redis_client().flushdb()
    spend(acme, "1")  # publishes figures only
    assert ask("acme") == ("refuse", "wallet_frozen")


def test_without_redis_postgresql_answers_the_same(settings: Any) -> None:
    acme = wallet_of("acme", credit="5")
    wallet_of("globex")
    settings.REDIS_URL = NOBODY_LISTENS
    spend(acme, "1")
    assert ask("acme", "4") == ("allow", None)
    assert ask("acme", "4.000000000001") == ("refuse", "balance_exhausted")
    assert ask("globex") == ("refuse", "balance_exhausted")
    with pytest.raises(UnknownAccount):
        ask("nobody")


@pytest.mark.parametrize("redis_is_there", [True, False])
def test_the_slow_lane_lets_through_what_the_policy_says(redis_is_there: bool, settings: Any) -> None:  # noqa: FBT001 - a parameter of the test
    acme = wallet_of("acme")
    set_policy(wallet_id=acme.pk, on_empty="throttle", throttle_per_minute=3, at=AT)
    if not redis_is_there:
        settings.REDIS_URL = NOBODY_LISTENS
    assert [ask("acme")[0] for _ in range(4)] == ["allow", "allow", "allow", "throttle"]
    decision = check_account(account_key="acme", amount=None, at=AT + timedelta(seconds=5))
    assert (decision.verdict, decision.reason, decision.retry_after_seconds) == ("throttle", "rate_limited", 15)
    later = AT + timedelta(seconds=20)
    assert [check_account(account_key="acme", amount=None, at=later).verdict for _ in range(2)] == ["allow", "throttle"]


def test_of_many_callers_at_once_the_slow_lane_lets_through_no_more() -> None:
    acme = wallet_of("acme")
    set_policy(wallet_id=acme.pk, on_empty="throttle", throttle_per_minute=10, at=AT)
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: ask("acme")[0], range(80)))
    assert (verdicts.count("allow"), verdicts.count("throttle")) == (10, 70)


def test_no_decision_is_wrong_while_redis_is_wiped_again_and_again() -> None:
    wallet_of("acme", credit="5")
    wallet_of("globex")

    def caller(key: str) -> set[str]:
        verdicts = {ask(key)[0] for _ in range(150)}
        connection.close()
        return verdicts

    with ThreadPoolExecutor(4) as pool:
        callers = {key: [pool.submit(caller, key) for _ in range(2)] for key in ("acme", "globex")}
        while not all(future.done() for futures in callers.values() for future in futures):
            redis_client().flushdb()
        answers = {key: set.union(*(future.result() for future in futures)) for key, futures in callers.items()}
    assert answers == {"acme": {"allow"}, "globex": {"refuse"}}
