"""Set what a wallet watches: shares of a reference, amounts, and the reference itself. Nobody is told of what the balance is
below already when thresholds are set; the next crossing counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from wallets.accounts.models import Account
from wallets.balances.lock import LockedWallet, lock_wallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.balances.thresholds import Thresholds, below
from wallets.errors import NotFound
from wallets.input import Input
from wallets.money import ZERO

MOST: Final = 10
HIGHEST_PERCENT: Final = 99


@dataclass(frozen=True, slots=True)
class WalletThresholds:
    """What a wallet is watched for, in its currency. percents, reference: of its own, None when it has none.
    account_percents: of its account, for wallets without.  reference_balance: what shares are of now. That a balance is used
    up is always told."""

    percents: list[int] | None
    account_percents: list[int]
    amounts: list[Decimal]
    reference: Decimal | None
    reference_balance: Decimal

    @property
    def in_force(self) -> list[int]:
        """The percentages that count, highest first."""
        return sorted(self.account_percents if self.percents is None else self.percents, reverse=True)


def thresholds_of(wallet: Wallet) -> WalletThresholds:
    """What a wallet, read with its account, is watched for; highest first."""
    own = wallet.threshold_percents
    return WalletThresholds(
        percents=None if own is None else sorted(own, reverse=True),
        account_percents=sorted(wallet.account.threshold_percents, reverse=True),
        amounts=sorted(wallet.threshold_amounts, reverse=True),
        reference=wallet.own_reference,
        reference_balance=wallet.reference_balance if wallet.own_reference is None else wallet.own_reference,
    )


def set_thresholds(
    *, wallet_id: int, percents: Sequence[int] | None, amounts: Sequence[Decimal] = (), reference: Decimal | None = None
) -> Wallet:
    """Set everything a wallet (row id) is watched for, in place of what was set; it comes back with its account.

    percents: of the reference, 1 to 99, at most MOST; None: those of its account; none at all: only that it is used up.
    amounts: in the wallet's currency, at most MOST.  reference: what the percentages are of; None: the balance after the last
    credit. Raises InvalidInput, WalletClosed, LockBusy, NotFound.
    """
    check = Input()
    own = None if percents is None else checked_percents(check, percents)
    sums = _checked_amounts(check, amounts)
    if reference is not None:
        check.amount("reference", reference, above_zero=True)
    check.refuse("The thresholds are not acceptable.")
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        if locked.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {locked.public_id} is closed.")
        account = Account.objects.get(pk=locked.account_id)
        if reference is None and locked.own_reference is not None:
            locked.reference_balance = max(locked.balance, ZERO)
        locked.own_reference, locked.threshold_amounts = reference, sums
        locked.threshold_percents = account.threshold_percents if own is None else own
        changes = {"threshold_percents": own, "threshold_amounts": sums, "own_reference": reference}
        _watch(locked, reference_balance=locked.reference_balance, **changes)
    return Wallet.objects.select_related("account").get(pk=wallet_id)


def set_account_thresholds(*, account_id: int, percents: Sequence[int]) -> Account:
    """Set what the account's wallets without percentages of their own are watched for: 1 to 99 of the reference, at most MOST.

    Raises InvalidInput, LockBusy, NotFound.
    """
    check = Input()
    usual = checked_percents(check, percents)
    check.refuse("The thresholds are not acceptable.")
    with transaction.atomic():
        account = Account.objects.filter(pk=account_id).first()
        if account is None:
            raise NotFound(f"No account with id {account_id}.")
        followers = Wallet.objects.filter(account_id=account_id, bucket=account.bucket, threshold_percents__isnull=True)
        locked = lock_wallets(list(followers.values_list("id", flat=True)), bucket=account.bucket)
        account.threshold_percents = usual
        account.save(update_fields=["threshold_percents"])
        for wallet in locked.values():
            wallet.threshold_percents = usual
            _watch(wallet)
    return account


def checked_percents(check: Input, percents: Sequence[Any]) -> list[int]:
    """Percentages, ascending; notes what is wrong with them."""
    check.expect("percents", len(percents) <= MOST, f"at most {MOST}")
    check.expect("percents", len(set(percents)) == len(percents), "each once")
    return sorted(check.whole("percents", percent, least=1, most=HIGHEST_PERCENT) for percent in percents)


def _checked_amounts(check: Input, amounts: Sequence[Decimal]) -> list[Decimal]:
    check.expect("amounts", len(amounts) <= MOST, f"at most {MOST}")
    for amount in amounts:
        check.amount("amounts", amount, above_zero=True)
    if check.wrong:
        return []
    check.expect("amounts", len(set(amounts)) == len(amounts), "each once")
    return sorted(amounts)


def _watch(wallet: LockedWallet, **changes: Any) -> None:
    """Write what a locked wallet is watched for, with what its balance is below already as crossed."""
    reference = wallet.reference_balance if wallet.own_reference is None else wallet.own_reference
    watched = Thresholds(wallet.threshold_percents, wallet.threshold_amounts, reference)
    fired = below(watched, balance=wallet.balance)
    Wallet.objects.filter(bucket=wallet.bucket, pk=wallet.id).update(
        armed_percent=fired.percent, armed_amount=fired.amount, **changes
    )
