"""Freeze a wallet and thaw it. The gate refuses a frozen wallet; usage that did happen is still charged to it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

Status = Wallet.Status


class WalletFrozen(Conflict):
    """The wallet is frozen."""

    code = "wallet_frozen"


class WalletNotFrozen(Conflict):
    """The wallet is not frozen."""

    code = "wallet_not_frozen"


def freeze_wallet(*, wallet_id: int, at: datetime) -> Wallet:
    """Have the gate refuse calls on this wallet. Raises WalletFrozen, WalletClosed, LockBusy, NotFound."""
    return _move(wallet_id, Status.ACTIVE, Status.FROZEN, at)


def thaw_wallet(*, wallet_id: int, at: datetime) -> Wallet:
    """Undo a freeze. Raises WalletNotFrozen, WalletClosed, LockBusy, NotFound."""
    return _move(wallet_id, Status.FROZEN, Status.ACTIVE, at)


def _move(wallet_id: int, before: Status, after: Status, at: datetime) -> Wallet:
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        if locked.status == Status.CLOSED:
            raise WalletClosed(f"Wallet {locked.public_id} is closed.")
        if locked.status != before:
            refusal = WalletFrozen if locked.status == Status.FROZEN else WalletNotFrozen
            raise refusal(f"Wallet {locked.public_id} is {locked.status.lower()} already.")
        Wallet.objects.filter(bucket=locked.bucket, pk=wallet_id).update(status=after)
        add_news([("", AccountsChanged([locked.account_id]))], at=at, bucket=locked.bucket)
    return Wallet.objects.select_related("account").get(pk=wallet_id)
