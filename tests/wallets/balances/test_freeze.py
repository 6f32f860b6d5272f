"""Freezing wallets."""

from __future__ import annotations

import pytest

from tests.cast import Company, days_after_opening
from wallets.balances.freeze import WalletFrozen, WalletNotFrozen, freeze_wallet, thaw_wallet
from wallets.balances.open import WalletClosed, close_wallet

AT = days_after_opening(1)


def test_a_wallet_is_frozen_and_thawed_once_each(acme: Company) -> None:
    assert freeze_wallet(wallet_id=acme.wallet.pk, at=AT).status == "FROZEN"
    with pytest.raises(WalletFrozen):
        freeze_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert thaw_wallet(wallet_id=acme.wallet.pk, at=AT).status == "ACTIVE"
    with pytest.raises(WalletNotFrozen):
        thaw_wallet(wallet_id=acme.wallet.pk, at=AT)


def test_a_closed_wallet_is_neither_frozen_nor_thawed(acme: Company) -> None:
    close_wallet(wallet_id=acme.wallet.pk, at=AT)
    for move in (freeze_wallet, thaw_wallet):
        with pytest.raises(WalletClosed):
            move(wallet_id=acme.wallet.pk, at=AT)
