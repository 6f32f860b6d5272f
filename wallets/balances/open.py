"""Open a wallet, close an empty one."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from wallets.accounts.models import Account
from wallets.balances.held import lapse_due
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import ZERO
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

Status = Wallet.Status


class DefaultWalletExists(Conflict):
    """The account has a wallet to which usage in this currency is charged already."""

    code = "default_wallet_exists"


class WalletNotEmpty(Conflict):
    """The wallet holds something or owes something, so it cannot be closed."""

    code = "wallet_not_empty"


class WalletClosed(Conflict):
    """The wallet is closed."""

    code = "wallet_closed"


def open_wallet(*, account: Account, currency: str, at: datetime, name: str = "", is_default: bool | None = None) -> Wallet:
    """Open an empty wallet.

    currency: ISO 4217 code or the name of a custom credit unit.  is_default: whether usage in this currency is charged
    to it; None makes the first wallet of a currency the default one. Raises DefaultWalletExists, InvalidInput.
    """
    check = Input()
    check.currency(currency)
    name = check.text("name", name, longest=120)
    check.refuse("The wallet cannot be opened like this.")
    with transaction.atomic():
        wallet = Wallet(
            bucket=account.bucket,
            account=account,
            currency=currency,
            name=name,
            is_default=bool(is_default),
            opened_at=at,
            has_caps=Wallet.objects.filter(account=account, has_caps=True).exists(),
        )
        _insert(wallet, is_default=is_default)
        add_news([("", AccountsChanged([account.pk]))], at=at, bucket=account.bucket)
    return wallet


def take_first_wallet(*, account: Account, currency: str, at: datetime, name: str = "") -> Wallet:
    """The wallet an integrator asks for: the one its account came with as long as nobody has asked for that one or used
    it, else a new one. So a script may open its first wallet or not, and both charge the same wallet.

    Raises InvalidInput.
    """
    check = Input()
    check.currency(currency)
    name = check.text("name", name, longest=120)
    check.refuse("The wallet cannot be opened like this.")
    came_with = Wallet.objects.filter(account=account, currency=currency, is_default=True, status=Status.ACTIVE)
    untouched = came_with.filter(name="", version=0, opened_at=account.created_at)
    with transaction.atomic():
        if untouched.update(name=name or currency, opened_at=at):
            wallet = came_with.get()
            wallet.account = account
            return wallet
        return open_wallet(account=account, currency=currency, at=at, name=name)


def close_wallet(*, wallet_id: int, at: datetime) -> Wallet:
    """Close a wallet that holds nothing and owes nothing; usage is no longer charged to it.

    Raises WalletNotEmpty, WalletClosed, LockBusy, NotFound.
    """
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        if locked.status == Status.CLOSED:
            raise WalletClosed(f"Wallet {locked.public_id} is closed already.")
        lapse_due({locked.id: locked}, bucket=locked.bucket, at=at)
        if locked.balance != ZERO or locked.held != ZERO or locked.overdraft != ZERO:
            raise WalletNotEmpty(
                f"Wallet {locked.public_id} holds {locked.balance:f}, of which {locked.held:f} held, and owes "
                f"{locked.overdraft:f}; only an empty wallet can be closed."
            )
        Wallet.objects.filter(bucket=locked.bucket, pk=wallet_id).update(status=Status.CLOSED, closed_at=at)
        add_news([("", AccountsChanged([locked.account_id]))], at=at, bucket=locked.bucket)
    return Wallet.objects.select_related("account").get(pk=wallet_id)


def _insert(wallet: Wallet, *, is_default: bool | None) -> None:
    """Insert; with is_default None it becomes the default wallet of its currency if there is none."""
    if is_default is not False:
        wallet.is_default = True
        try:
            with transaction.atomic():
                wallet.save(force_insert=True)
        except IntegrityError as error:
            if "wallet_one_default" not in str(error):
                raise
            if is_default:
                raise DefaultWalletExists(
                    f"Account {wallet.account.key} has a default wallet in {wallet.currency} already."
                ) from error
            wallet.is_default = False
        else:
            return
    wallet.save(force_insert=True)
