"""Accounts that hold something, made through the verbs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from wallets.accounts.models import Account
from wallets.accounts.open import open_account
from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.grant import grant_credit

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def wallet_of(key: str, *, credit: str = "0", currency: str = "USD", at: datetime = AT) -> Wallet:
    """A wallet of the account `key` (opened if it is not there) with this much paid credit."""
    account = Account.objects.filter(key=key).first() or open_account(key=key, name=key.title(), currency=currency, at=at)
    wallet = open_wallet(account=account, currency=currency, at=at)
    if Decimal(credit):
        grant_credit(wallet_id=wallet.pk, amount=Decimal(credit), kind="paid", at=at)
    return wallet


def spend(wallet: Wallet, amount: str, *, at: datetime = AT) -> LockedWallet:
    """Charge usage to a wallet; returns its figures as this transaction left them."""
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        debit_wallets([WalletDebit(locked, [("calls", Decimal(amount), at)])], at=at)
    return locked


def set_held(wallet: Wallet, amount: str) -> None:
    """Have this much of the wallet held for a day, without a hold that says so."""
    Wallet.objects.filter(pk=wallet.pk).update(held=Decimal(amount), next_lapse_at=AT + timedelta(days=1))
