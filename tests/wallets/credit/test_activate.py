"""Lots granted for the future enter the balance when their time comes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.models import Wallet
from wallets.balances.open import close_wallet
from wallets.credit.activate import activate_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

STARTS = AT + timedelta(days=1)


def scheduled(wallet: Wallet, amount: str = "10", kind: str = "paid") -> CreditLot:
    return grant_credit(wallet_id=wallet.pk, amount=D(amount), kind=kind, at=AT, effective_at=STARTS)


def test_the_sweep_lets_lots_in_from_the_instant_they_are_effective() -> None:
    wallet = wallet_of("acme")
    scheduled(wallet)
    assert activate_lots(at=STARTS - timedelta(microseconds=1)) == 0
    assert activate_lots(at=STARTS) == 1
    assert journal(wallet) == [("GRANT", ["cash_clearing:manual -10.00", "prepaid_liability @ paid 10.00"])]
    assert lots(wallet) == [("paid", "OPEN", 10)]


def test_a_second_sweep_finds_nothing() -> None:
    wallet = wallet_of("acme")
    scheduled(wallet)
    activate_lots(at=STARTS)
    assert activate_lots(at=STARTS) == 0
    assert figures(wallet) == (10, 0)


def test_usage_draws_a_lot_at_the_instant_it_is_effective_also_when_no_sweep_ran() -> None:
    wallet = wallet_of("acme", credit="1")
    scheduled(wallet, kind="trial")
    spend(wallet, "5", at=STARTS)
    assert [kind for kind, _ in journal(wallet)] == ["GRANT", "GRANT", "USAGE"]
    assert figures(wallet) == (6, 0)
    assert activate_lots(at=STARTS) == 0


def test_usage_before_its_time_does_not_wake_a_lot() -> None:
    wallet = wallet_of("acme", credit="1")
    scheduled(wallet)
    spend(wallet, "5", at=STARTS - timedelta(seconds=1))
    assert figures(wallet) == (-4, 4)
    assert lots(wallet)[1] == ("paid", "SCHEDULED", 0)


def test_lots_of_other_wallets_stay_where_they_are() -> None:
    wallet, other = wallet_of("acme", credit="1"), wallet_of("globex")
    scheduled(other)
    spend(wallet, "1", at=STARTS)
    assert lots(other) == [("paid", "SCHEDULED", 0)]


def test_lots_that_enter_repay_what_is_owed_oldest_first() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "7")
    scheduled(wallet, "5", "trial")
    scheduled(wallet, "5", "paid")
    assert activate_lots(at=STARTS) == 2
    assert lots(wallet) == [("trial", "EXHAUSTED", 0), ("paid", "OPEN", 3)]
    assert figures(wallet) == (3, 0)
    assert last_entry(wallet)[1][-2:] == ["prepaid_liability @ paid -2.00", "overdraft_receivable 2.00"]


def test_a_lot_whose_validity_is_over_before_it_enters_repays_nothing() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "7")
    grant_credit(
        wallet_id=wallet.pk, amount=D(10), kind="trial", at=AT, effective_at=STARTS, expires_at=STARTS + timedelta(days=1)
    )
    activate_lots(at=STARTS + timedelta(days=2))
    assert figures(wallet) == (3, 7)


def test_a_lot_of_a_wallet_closed_meanwhile_is_voided() -> None:
    wallet = wallet_of("acme")
    scheduled(wallet)
    close_wallet(wallet_id=wallet.pk, at=AT)
    assert activate_lots(at=STARTS) == 0
    assert lots(wallet) == [("paid", "VOIDED", 0)]
    assert journal(wallet) == []
