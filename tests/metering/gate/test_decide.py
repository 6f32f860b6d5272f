"""The gate's rule, case by case."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any, get_args

import pytest

from metering.gate.decide import SENTENCES, Decision, Reason, decide, take_token
from wallets.balances.published import PublishedAccount, PublishedWallet

NOW_US = 1_795_000_000_000_000
WALLET = PublishedWallet(
    id=7, public_id="wal_7", currency="USD", status="ACTIVE", is_default=True, available=D("5.00"), overdraft=D(0),
    on_empty="block", grace_limit=D(0), throttle_per_minute=10, version=3,
)  # fmt: skip


def ask(
    amount: str | None = None, *, currency: str | None = None, account: str = "ACTIVE", wallets: int = 1, **of_wallet: Any
) -> Decision:
    wallet = replace(WALLET, **of_wallet)
    acme = PublishedAccount(id=1, key="acme", status=account, currency="USD", wallets=(wallet,) * wallets)
    cost = None if amount is None else D(amount)
    return decide(acme, currency=currency, amount=cost, at_us=NOW_US, lane_us=0)[0]


@pytest.mark.parametrize(
    ("available", "amount", "verdict"),
    [
        ("5.00", None, "allow"),
        ("5.00", "5.00", "allow"),
        ("5.00", "5.000000000001", "refuse"),
        ("0", None, "refuse"),
        ("0", "0", "allow"),
        ("-0.000000000001", "0", "refuse"),
        ("999999999999999999.999999999999", "999999999999999999.999999999999", "allow"),
        ("999999999999999999.999999999998", "999999999999999999.999999999999", "refuse"),
    ],
)
def test_a_blocking_wallet_allows_what_its_credit_covers(available: str, amount: str | None, verdict: str) -> None:
    decision = ask(amount, available=D(available))
    assert (decision.verdict, decision.reason) == (verdict, None if verdict == "allow" else "balance_exhausted")


@pytest.mark.parametrize(
    ("available", "amount", "verdict"),
    [
        ("0", "5.00", "allow"),
        ("-4.99", "0.01", "allow"),
        ("-4.99", "0.02", "refuse"),
        ("-5", None, "refuse"),
        ("-4", None, "allow"),
    ],
)
def test_grace_allows_an_overdraft_up_to_its_limit(available: str, amount: str | None, verdict: str) -> None:
    assert ask(amount, available=D(available), on_empty="grace", grace_limit=D(5)).verdict == verdict


def test_a_grace_limit_counts_only_under_the_grace_policy() -> None:
    assert ask("1", available=D(0), on_empty="block", grace_limit=D(5)).reason == "balance_exhausted"


def test_a_suspended_account_is_refused_whatever_it_holds() -> None:
    assert ask("1", account="SUSPENDED") == Decision("refuse", "account_suspended", D("5.00"), "USD", wallet="wal_7", version=3)


def test_a_frozen_wallet_is_refused_whatever_it_holds() -> None:
    assert ask("1", status="FROZEN").reason == "wallet_frozen"


def test_without_a_wallet_in_the_currency_nothing_is_available() -> None:
    assert ask("1", currency="EUR") == Decision("refuse", "balance_exhausted", D(0), "EUR")
    assert ask(wallets=0) == Decision("refuse", "balance_exhausted", D(0), "USD")
    assert ask(account="SUSPENDED", wallets=0) == Decision("refuse", "account_suspended", D(0), "USD")


def test_an_account_without_a_wallet_in_its_own_currency_is_asked_about_the_oldest_it_has() -> None:
    assert ask("1", currency=None).currency == "USD"
    eur = PublishedAccount(id=1, key="acme", status="ACTIVE", currency="USD", wallets=(replace(WALLET, currency="EUR"),))
    assert decide(eur, currency=None, amount=None, at_us=NOW_US, lane_us=0)[0].currency == "EUR"


def test_the_slow_lane_lets_as_many_through_as_the_policy_says_and_then_one_at_a_time() -> None:
    acme = PublishedAccount(
        id=1, key="acme", status="ACTIVE", currency="USD",
        wallets=(replace(WALLET, available=D(0), on_empty="throttle", throttle_per_minute=10),),
    )  # fmt: skip
    lane_us, verdicts = 0, []
    for _ in range(11):
        decision, lane_us = decide(acme, currency=None, amount=None, at_us=NOW_US, lane_us=lane_us)
        verdicts.append(decision.verdict)
    assert verdicts == ["allow"] * 10 + ["throttle"]
    assert (decision.reason, decision.retry_after_seconds) == ("rate_limited", 6)
    later, lane_us = decide(acme, currency=None, amount=None, at_us=NOW_US + 6_000_000, lane_us=lane_us)
    again, _ = decide(acme, currency=None, amount=None, at_us=NOW_US + 6_000_000, lane_us=lane_us)
    assert (later.verdict, again.verdict) == ("allow", "throttle")


def test_a_slowed_wallet_takes_the_slow_lane_with_credit_and_is_refused_without() -> None:
    acme = PublishedAccount(
        id=1, key="acme", status="ACTIVE", currency="USD", wallets=(replace(WALLET, status="SLOWED", throttle_per_minute=1),)
    )
    first, lane_us = decide(acme, currency=None, amount=D(1), at_us=NOW_US, lane_us=0)
    second, _ = decide(acme, currency=None, amount=D(1), at_us=NOW_US, lane_us=lane_us)
    assert (first.verdict, second.verdict, second.retry_after_seconds) == ("allow", "throttle", 60)
    assert ask("6", status="SLOWED").reason == "balance_exhausted"


def test_a_slow_lane_of_nothing_a_minute_is_a_block() -> None:
    assert ask("1", available=D(0), on_empty="throttle", throttle_per_minute=0).reason == "balance_exhausted"


def test_a_clock_that_ran_ahead_does_not_close_the_slow_lane_for_longer_than_a_minute() -> None:
    wait_us, _ = take_token(per_minute=10, at_us=NOW_US, lane_us=NOW_US + 10**15)
    assert wait_us == 6_000_000


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(get_args(Reason))
