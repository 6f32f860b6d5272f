"""Looking wallets up. `only_account_id` is the account a caller is confined to: it sees nothing of any other (I12)."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.errors import NotFound


def wallets_seen(*, only_account_id: int | None) -> QuerySet[Wallet]:
    """The wallets a caller may see, with their accounts."""
    wallets = Wallet.objects.select_related("account")
    return wallets if only_account_id is None else wallets.filter(account_id=only_account_id)


def wallet_by_id(*, public_id: str, only_account_id: int | None = None) -> Wallet:
    """The wallet with this id (`wal_…`). Raises NotFound, also when it is another account's than the caller's."""
    wallet = wallets_seen(only_account_id=only_account_id).filter(public_id=public_id).first()
    if wallet is None:
        raise NotFound(f"There is no wallet {public_id[:40]}.")
    return wallet


def wallets_of(*, account_id: int) -> QuerySet[Wallet]:
    """An account's wallets, with the account."""
    return Wallet.objects.select_related("account").filter(account_id=account_id)


def charged_wallet(*, account: Account, currency: str | None) -> Wallet | None:
    """The wallet that usage of the account in `currency` is charged to; None asks for its main currency: its own if usage
    can be charged in it, else that of the oldest wallet usage is charged to (as `PublishedAccount.main_currency`)."""
    wallets = Wallet.objects.filter(account=account, is_default=True).exclude(status=Wallet.Status.CLOSED)
    if currency is not None:
        return wallets.filter(currency=currency).first()
    in_order = list(wallets.order_by("id"))
    return next((one for one in in_order if one.currency == account.currency), in_order[0] if in_order else None)
