"""An account that has units and no money: calls that name no amount go ahead while any are left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from metering.gate.check import check_account, check_published
from metering.gate.decide import UNKNOWN_CALL, Call
from tests.factories.balances import AT, spend, wallet_of
from tests.factories.plans import use_units
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_allowance
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

HOUR = timedelta(hours=1)


def ask(*meters: str, at: Any = AT, amount: str | None = None) -> str:
    exact = None if amount is None else D(amount)
    call = Call(meters=meters) if meters else UNKNOWN_CALL
    return check_account(account_key="acme", amount=exact, at=at, call=call).reason or "allow"


def test_units_let_calls_through_until_the_commit_that_uses_the_last() -> None:
    acme = wallet_of("acme")
    assert ask() == "balance_exhausted"
    grant_allowance(wallet_id=acme.pk, meter="calls", quantity=D(10), at=AT)
    assert [ask(), ask("calls"), ask(amount="0")] == ["allow"] * 3
    assert [ask("tokens"), ask("calls", "tokens"), ask(amount="0.01")] == ["balance_exhausted"] * 3
    use_units(acme, "9", at=AT)
    assert ask() == "allow"
    use_units(acme, "1", at=AT)
    decision = check_published(account_key="acme", amount=None, at=AT)  # in Redis, nothing read again
    assert decision is not None
    assert decision.reason == "balance_exhausted"


def test_who_owes_gets_calls_of_the_meter_only() -> None:
    acme = wallet_of("acme")
    grant_allowance(wallet_id=acme.pk, meter="calls", quantity=D(10), at=AT)
    spend(acme, "0.01")  # of another meter: nothing pays for it
    assert [ask(), ask("tokens"), ask("calls")] == ["balance_exhausted", "balance_exhausted", "allow"]


def test_units_begin_and_end_on_time_without_a_commit() -> None:
    acme = wallet_of("acme")
    grant_allowance(wallet_id=acme.pk, meter="calls", quantity=D(1), at=AT, effective_at=AT + HOUR, expires_at=AT + 2 * HOUR)
    redis_client().flushdb()
    moments = [AT, AT + HOUR - timedelta(microseconds=1), AT + HOUR, AT + 2 * HOUR]
    answers = [ask(at=at) for at in moments]
    assert answers == ["balance_exhausted", "balance_exhausted", "allow", "balance_exhausted"]
    expire_lots(at=AT + 2 * HOUR)
    assert ask(at=AT + 2 * HOUR) == "balance_exhausted"


def test_an_estimate_that_units_cover_goes_ahead_for_who_owes() -> None:
    acme = wallet_of("acme")
    grant_allowance(wallet_id=acme.pk, meter="calls", quantity=D(10), at=AT)
    spend(acme, "0.01")
    call = Call(quantities={"calls": D(1)})
    assert check_account(account_key="acme", amount=D(0), at=AT, call=call).verdict == "allow"
    assert check_account(account_key="acme", amount=D(0), at=AT, call=Call(quantities={"tokens": D(1)})).verdict == "refuse"
