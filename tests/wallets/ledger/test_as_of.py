"""A wallet's balance at any past moment, from its journal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, spend, wallet_of
from wallets.credit.grant import grant_credit
from wallets.errors import NotFound
from wallets.ledger.as_of import BalanceAsOf, balance_as_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

HOUR = timedelta(hours=1)


def test_the_balance_is_that_after_the_last_entry_up_to_the_moment() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT)
    spend(wallet, "4", at=AT + HOUR)
    spend(wallet, "9", at=AT + 2 * HOUR)
    moments = [AT - HOUR, AT, AT + HOUR - timedelta(microseconds=1), AT + HOUR, AT + 9 * HOUR]
    then = [balance_as_of(wallet_id=wallet.pk, at=moment) for moment in moments]
    assert [(figures.balance, figures.overdraft, figures.wallet_version) for figures in then] == [
        (0, 0, 0),
        (10, 0, 1),
        (10, 0, 1),
        (6, 0, 2),
        (-3, 3, 3),
    ]


def test_before_its_first_entry_a_wallet_held_nothing() -> None:
    wallet = wallet_of("acme")
    assert balance_as_of(wallet_id=wallet.pk, at=AT) == BalanceAsOf(AT, "USD", D(0), D(0), 0, None)


def test_other_wallets_do_not_count() -> None:
    wallet = wallet_of("acme")
    wallet_of("globex", credit="10")
    assert balance_as_of(wallet_id=wallet.pk, at=AT).balance == 0


def test_where_clocks_disagree_the_order_of_the_entries_counts() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "1", at=AT + HOUR)
    spend(wallet, "2", at=AT + HOUR - timedelta(seconds=1))
    assert balance_as_of(wallet_id=wallet.pk, at=AT + HOUR - timedelta(seconds=1)).balance == 7


def test_a_wallet_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        balance_as_of(wallet_id=0, at=AT)
