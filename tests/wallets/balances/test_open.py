"""Opening wallets, closing empty ones."""

from __future__ import annotations

import pytest

from tests.cast import Company, days_after_opening
from wallets.balances.freeze import freeze_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import DefaultWalletExists, WalletClosed, close_wallet, open_wallet, take_first_wallet
from wallets.errors import InvalidInput

AT = days_after_opening(1)


def test_the_first_wallet_of_a_currency_is_charged_by_default(acme: Company) -> None:
    euros = open_wallet(account=acme.account, currency="EUR", at=AT)
    more = open_wallet(account=acme.account, currency="EUR", at=AT)
    assert (acme.wallet.is_default, euros.is_default, more.is_default) == (True, True, False)


def test_two_default_wallets_of_a_currency_are_refused(acme: Company) -> None:
    with pytest.raises(DefaultWalletExists):
        open_wallet(account=acme.account, currency="USD", at=AT, is_default=True)
    assert Wallet.objects.count() == 1


def test_a_custom_credit_unit_is_a_currency(acme: Company) -> None:
    assert open_wallet(account=acme.account, currency="TOKEN_CREDITS", at=AT).currency == "TOKEN_CREDITS"
    with pytest.raises(InvalidInput):
        open_wallet(account=acme.account, currency="token credits", at=AT)


def test_the_wallet_an_account_came_with_is_taken_once(acme: Company) -> None:
    first = take_first_wallet(account=acme.account, currency="USD", at=AT, name="Production")
    second = take_first_wallet(account=acme.account, currency="USD", at=AT)
    assert first.pk == acme.wallet.pk
    assert first.name == "Production"
    assert second.pk != first.pk
    assert not second.is_default


def test_a_wallet_that_was_used_is_not_taken_for_a_new_one(acme: Company) -> None:
    Wallet.objects.filter(pk=acme.wallet.pk).update(version=1)
    assert take_first_wallet(account=acme.account, currency="USD", at=AT).pk != acme.wallet.pk


def test_a_wallet_that_was_frozen_is_not_taken_for_a_new_one(acme: Company) -> None:
    freeze_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert take_first_wallet(account=acme.account, currency="USD", at=AT).pk != acme.wallet.pk


def test_an_empty_wallet_is_closed_once_and_makes_room_for_another(acme: Company) -> None:
    closed = close_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert (closed.status, closed.closed_at) == ("CLOSED", AT)
    with pytest.raises(WalletClosed):
        close_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert open_wallet(account=acme.account, currency="USD", at=AT).is_default
