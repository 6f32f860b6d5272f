"""Expiry: paid credit that was not used in time is breakage (IFRS 15 B46; ASC 606-10-55-48), given credit comes off its
cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.models import Wallet
from wallets.credit import sweep
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.outbox.models import News

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

ENDS = AT + timedelta(days=30)


def ending(wallet: Wallet, amount: str = "10", kind: str = "paid") -> CreditLot:
    return grant_credit(wallet_id=wallet.pk, amount=D(amount), kind=kind, at=AT, expires_at=ENDS)


def test_paid_credit_that_expires_is_breakage() -> None:
    wallet = wallet_of("acme")
    ending(wallet)
    spend(wallet, "4")
    assert expire_lots(at=ENDS) == 1
    assert last_entry(wallet) == ("EXPIRY", ["prepaid_liability @ paid -6.00", "breakage 6.00"])
    assert figures(wallet) == (0, 0)
    assert lots(wallet) == [("paid", "EXPIRED", 0)]


def test_given_credit_that_expires_comes_off_its_cost() -> None:
    wallet = wallet_of("acme")
    ending(wallet, kind="promotional")
    expire_lots(at=ENDS)
    assert last_entry(wallet) == ("EXPIRY", ["promotional_liability @ promotional -10.00", "promotional_cost 10.00"])


def test_a_lot_lives_until_before_the_instant_it_expires() -> None:
    wallet = wallet_of("acme")
    ending(wallet)
    assert expire_lots(at=ENDS - timedelta(microseconds=1)) == 0
    assert figures(wallet) == (10, 0)


def test_expiring_twice_changes_nothing_more() -> None:
    wallet = wallet_of("acme")
    ending(wallet)
    expire_lots(at=ENDS)
    assert expire_lots(at=ENDS + timedelta(days=1)) == 0
    assert [kind for kind, _ in journal(wallet)] == ["GRANT", "EXPIRY"]


def test_lots_that_are_used_up_do_not_expire() -> None:
    wallet = wallet_of("acme")
    ending(wallet)
    spend(wallet, "10")
    assert expire_lots(at=ENDS) == 0
    assert lots(wallet) == [("paid", "EXHAUSTED", 0)]


def test_each_lot_that_expires_is_told_with_what_was_left() -> None:
    wallet = wallet_of("acme")
    lot = ending(wallet)
    spend(wallet, "4")
    expire_lots(at=ENDS)
    news = News.objects.get(topic="lot_expired")
    assert (news.subject, news.happened_at) == (f"wallet:{wallet.pk}", ENDS)
    told = {"wallet_id": wallet.pk, "lot": lot.public_id, "amount": "6.00", "currency": "USD", "meter": "", "kind": "paid"}
    assert news.payload == told


def test_several_lots_and_wallets_expire_in_one_sweep_whatever_the_size_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "WALLETS_A_TRANSACTION", 2)
    wallets = [wallet_of(f"customer-{number}", credit="1") for number in range(5)]
    for wallet in wallets:
        ending(wallet, "2")
        ending(wallet, "3", "trial")
    assert expire_lots(at=ENDS) == 10
    assert [figures(wallet) for wallet in wallets] == [(1, 0)] * 5


def test_late_usage_of_its_time_draws_a_lot_until_the_sweep_has_ended_it() -> None:
    wallet = wallet_of("acme")
    ending(wallet)
    spend(wallet, "4", at=ENDS - timedelta(hours=1))
    spend(wallet, "1", at=ENDS)
    assert figures(wallet) == (5, 1)
    assert lots(wallet) == [("paid", "OPEN", 6)]


def test_a_lot_that_came_and_went_between_two_sweeps_is_not_lost() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT, effective_at=AT + timedelta(days=1), expires_at=ENDS)
    assert expire_lots(at=ENDS) == 1
    assert [kind for kind, _ in journal(wallet)] == ["GRANT", "EXPIRY"]
    assert lots(wallet) == [("paid", "EXPIRED", 0)]


def test_expiry_may_cross_a_threshold() -> None:
    wallet = wallet_of("acme", credit="1")
    ending(wallet)
    expire_lots(at=ENDS)
    assert News.objects.filter(topic="threshold_crossed", payload__percent=20).exists()
