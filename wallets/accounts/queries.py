"""Looking accounts up. `only_account_id` is the account a caller is confined to: it sees nothing of any other (I12)."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.accounts.models import Account
from wallets.errors import NotFound


def accounts_seen(*, only_account_id: int | None) -> QuerySet[Account]:
    """The accounts a caller may see."""
    accounts = Account.objects.select_related("billing_details")
    return accounts if only_account_id is None else accounts.filter(pk=only_account_id)


def account_by_key(*, key: str, only_account_id: int | None = None) -> Account:
    """The account with this key. Raises NotFound, also when it is another one than the caller's."""
    account = accounts_seen(only_account_id=only_account_id).filter(key=key).first()
    if account is None:
        raise NotFound(f"There is no account {key[:120]}.")
    return account
