"""Holds count against spend caps from when they are placed until they end, and the gate sees them."""

from __future__ import annotations

import threading
from datetime import datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from metering.caps.models import CapReservation, SpendCap, SpendCounter
from metering.caps.reserve import KEPT, purge_reservations
from metering.caps.set_cap import CapTerms, set_cap
from metering.gate import hold_caps
from metering.gate.check import check_account
from metering.gate.decide import Call
from metering.gate.hold_caps import CapRefused
from metering.gate.holds import (
    capture_by_amount,
    capture_by_event,
    hold_amount,
    hold_estimate,
    hold_units,
    release,
    renew_units,
)
from metering.ingest.decode import usage_input
from tests.factories.balances import AT, wallet_of
from tests.factories.holds import later
from tests.factories.prices import llm_prices
from tests.threads import at_once
from wallets.balances import lock
from wallets.balances.models import Wallet
from wallets.holds import place
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import Hold
from wallets.holds.place import Work
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server", "books_hold")]

U_1 = {"user": "u_1"}


@pytest.fixture
def acme() -> Wallet:
    """A hundred dollars; an output token costs 0.001, an input token nothing."""
    llm_prices(input_tokens="0", output_tokens="0.001")
    return wallet_of("acme", credit="100")


def cap(wallet: Wallet, limit: str, *, scope: str = "user", meter: str = "") -> SpendCap:
    said = CapTerms(scope=scope, window="day", limit=D(limit), meter=meter, currency="" if meter else "USD")
    cap = set_cap(account=wallet.account, terms=said, at=AT)
    wallet.refresh_from_db()
    return cap


def hold(wallet: Wallet, amount: str, *, at: datetime = AT, **scopes: str) -> Hold:
    return hold_amount(
        account=wallet.account, amount=D(amount), currency=None, ttl_seconds=60, at=at, work=Work(), scopes=scopes or U_1
    )


def ask(amount: str, *, at: datetime = AT, **scopes: str) -> str:
    return check_account(account_key="acme", amount=D(amount), at=at, call=Call(scopes or U_1)).reason or "allow"


def tokens(count: int, **said: Any) -> dict[str, Any]:
    return {"model": "gpt-5", "output_tokens": count, "user": "u_1", **said}


def used(of: SpendCap) -> dict[str, D]:
    return dict(SpendCounter.objects.filter(cap=of).values_list("value", "used"))


def test_a_hold_takes_of_the_cap_until_it_is_released(acme: Wallet) -> None:
    of_user = cap(acme, "1")
    first = hold(acme, "0.6")
    with pytest.raises(CapRefused) as refused:
        hold(acme, "0.41")
    assert {name: refused.value.extra[name] for name in ("cap", "needed", "available")} == {
        "cap": of_user.public_id, "needed": "0.41", "available": "0.40",
    }  # fmt: skip
    assert Wallet.objects.get(pk=acme.pk).held == D("0.6")
    assert [ask("0.4"), ask("0.41"), ask("0.41", user="u_2")] == ["allow", "spend_cap", "allow"]
    hold(acme, "1", user="u_2")
    release(hold=first, at=later(1))
    assert ask("1") == "allow"
    hold(acme, "1")
    assert used(of_user) == {"u_1": D(0), "u_2": D(0)}


def test_what_lapsed_counts_no_longer_whether_it_is_swept_or_not(acme: Wallet) -> None:
    cap(acme, "1")
    hold(acme, "1")
    assert (ask("0.01", at=later(59)), ask("1", at=later(60))) == ("spend_cap", "allow")
    hold(acme, "1", at=later(60))
    assert lapse_holds(at=later(200)) == 1
    assert purge_reservations(at=later(200)) == 0
    assert purge_reservations(at=later(201) + KEPT) == 2


def test_a_capture_counts_what_was_charged(acme: Wallet) -> None:
    of_user, of_account = cap(acme, "1"), cap(acme, "1", scope="account")
    by_event = hold_estimate(
        account=acme.account, event_type="llm.request", properties=tokens(500), ttl_seconds=60, at=AT, work=Work()
    )
    assert (ask("0.5"), ask("0.51")) == ("allow", "spend_cap")
    event = usage_input(event_id="e1", event_type="llm.request", account="acme", time=AT, properties=tokens(300))
    capture_by_event(hold=by_event, event=event, at=later(1))
    assert (used(of_user), used(of_account)) == ({"u_1": D("0.3")}, {"": D("0.3")})
    assert (ask("0.7"), ask("0.71")) == ("allow", "spend_cap")
    by_amount = hold(acme, "0.7")
    for _ in range(2):  # sent again, nothing more happens
        capture_by_amount(hold=by_amount, amount=D("0.2"), at=later(2))
    assert (used(of_user), used(of_account)) == ({"u_1": D("0.5")}, {"": D("0.5")})
    assert (ask("0.5"), ask("0.51")) == ("allow", "spend_cap")
    assert not CapReservation.objects.exists()
    redis_client().flushdb()
    assert (ask("0.5"), ask("0.51")) == ("allow", "spend_cap")


@pytest.mark.parametrize(("limit", "meter"), [("0.25", ""), ("250", "llm.output_tokens")])
def test_slices_are_as_long_as_the_cap_leaves_room(acme: Wallet, limit: str, meter: str) -> None:
    of_user = cap(acme, limit, meter=meter)
    terms: dict[str, Any] = {"meter_code": "llm.output_tokens", "properties": {"model": "gpt-5"}, "scopes": U_1}
    terms |= {"account": acme.account, "ttl_seconds": 60, "at": AT, "work": Work()}
    first = hold_units(units=D(200), **terms)
    second = hold_units(units=D(200), **terms)
    assert [(one.granted, one.is_final) for one in (first, second)] == [(200, False), (50, True)]
    with pytest.raises(CapRefused):
        hold_units(units=D(1), **terms)
    release(hold=second, at=AT)
    renewed = renew_units(hold=first, used=D(150), at=later(1))
    assert (renewed.hold.granted, renewed.reason) == (100, None)
    over = renew_units(hold=renewed.hold, used=D(100), at=later(2))
    assert (over.hold.state, over.reason, over.hold.is_final) == ("CAPTURED", "spend_cap", True)
    assert used(of_user)["u_1"] == D(limit)


def test_an_account_without_caps_pays_nothing_for_them(acme: Wallet, django_assert_max_num_queries: Any) -> None:
    with connection.execute_wrapper(refuse_caps):
        release(hold=hold(acme, "1"), at=AT)


def refuse_caps(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
    assert "capreservation" not in sql.lower(), sql
    return execute(sql, params, many, context)


THREADS = 8


def race(wallet: Wallet) -> D:
    """Everybody wants half of the cap; what is set aside in the end."""
    cap(wallet, "1")
    at_once([lambda: hold(wallet, "0.5")] * THREADS)
    return sum(CapReservation.objects.values_list("amount", flat=True), D(0))


@pytest.mark.slow
def test_holds_at_once_never_set_aside_more_than_the_cap(acme: Wallet) -> None:
    assert race(acme) == D(1)


@pytest.mark.slow
def test_control_without_the_locks_they_do(acme: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_caps, "lock_wallet", lambda _: None)
    monkeypatch.setattr(hold_caps, "lock_counters", lambda *_, **__: None)
    both = threading.Barrier(THREADS)
    placing = place.lock_wallet

    def all_together(wallet_id: int) -> lock.LockedWallet:
        both.wait(30)
        return placing(wallet_id)

    monkeypatch.setattr(place, "lock_wallet", all_together)
    assert race(acme) > D(1)
