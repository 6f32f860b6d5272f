"""Looking lots up: all of a wallet's, one by its id, nobody else's."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, spend, wallet_of
from wallets.credit.grant import grant_credit
from wallets.credit.queries import lot_by_id, lots_of
from wallets.errors import NotFound

pytestmark = pytest.mark.django_db


def test_the_lots_of_a_wallet_are_all_of_them_whatever_their_state() -> None:
    wallet, stranger = wallet_of("acme", credit="1"), wallet_of("globex", credit="1")
    spend(wallet, "1")
    grant_credit(wallet_id=wallet.pk, amount=D(2), kind="trial", at=AT)
    states = lots_of(wallet_id=wallet.pk).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["EXHAUSTED", "OPEN"]
    assert lots_of(wallet_id=stranger.pk).count() == 1


def test_a_lot_is_found_by_its_id_with_its_wallet() -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(2), kind="trial", at=AT)
    assert lot_by_id(public_id=lot.public_id).wallet == wallet
    assert lot_by_id(public_id=lot.public_id, only_account_id=wallet.account_id) == lot


def test_a_stranger_does_not_find_it() -> None:
    lot = grant_credit(wallet_id=wallet_of("acme").pk, amount=D(2), kind="trial", at=AT)
    with pytest.raises(NotFound):
        lot_by_id(public_id=lot.public_id, only_account_id=wallet_of("globex").account_id)


def test_an_id_that_is_none_is_not_found() -> None:
    with pytest.raises(NotFound):
        lot_by_id(public_id="lot_nothing")
