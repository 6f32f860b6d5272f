"""Account keys -> row ids, buckets and the wallets they are charged to, kept in memory: an account's key and bucket never
change, and a wallet is looked at again under its lock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from metering.ingest.rows import default_wallets, known_accounts

MAX_REMEMBERED: Final = 200_000


@dataclass(slots=True)
class AccountView:
    """An account as ingest sees it; `wallets`: currency -> row id of its default wallet."""

    id: int
    key: str
    bucket: int
    wallets: dict[str, int] = field(default_factory=dict)


_accounts: dict[str, AccountView] = {}


def resolve_accounts(keys: Collection[str]) -> dict[str, AccountView]:
    """The accounts among `keys` that exist; two queries for those not yet known to this process, none for the rest."""
    unknown = [key for key in keys if key not in _accounts]
    if unknown:
        if len(_accounts) + len(unknown) > MAX_REMEMBERED:
            _accounts.clear()
            unknown = list(keys)
        with connection.cursor() as cursor:
            found = {
                account_id: AccountView(account_id, key, bucket)
                for key, account_id, bucket in known_accounts(cursor, unknown)
            }
            if found:
                for account_id, currency, wallet_id in default_wallets(cursor, list(found)):
                    found[account_id].wallets[currency] = wallet_id
        _accounts.update({account.key: account for account in found.values()})
    return {key: _accounts[key] for key in keys if key in _accounts}


def refresh_wallets(accounts: Collection[AccountView]) -> None:
    """Look the default wallets of these accounts up again."""
    by_id = {account.id: account for account in accounts}
    for account in accounts:
        account.wallets = {}
    with connection.cursor() as cursor:
        for account_id, currency, wallet_id in default_wallets(cursor, list(by_id)):
            by_id[account_id].wallets[currency] = wallet_id


def forget() -> None:
    """Drop what this process remembers (the database was emptied under it)."""
    _accounts.clear()
