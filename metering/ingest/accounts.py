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
    """An account as ingest sees it; `wallets`: currency -> row id of its default wallet; `allowances`: row id of such a
    wallet -> meters it may have allowances of, where there are any."""

    id: int
    key: str
    bucket: int
    time_zone: str = "UTC"
    wallets: dict[str, int] = field(default_factory=dict)
    allowances: dict[int, frozenset[str]] = field(default_factory=dict)


_accounts: dict[str, AccountView] = {}


def resolve_accounts(keys: Collection[str]) -> dict[str, AccountView]:
    """The accounts among `keys` that exist; two queries for those not yet known to this process, none for the rest."""
    known = {key: account for key in keys if (account := _accounts.get(key)) is not None}
    if len(known) == len(keys):
        return known
    # What is not printable is no account's key, and PostgreSQL would refuse the whole question for a NUL in it.
    unknown = [key for key in keys if key not in known and key.isprintable()]
    with connection.cursor() as cursor:
        found = {
            account_id: AccountView(account_id, key, bucket, time_zone)
            for key, account_id, bucket, time_zone in known_accounts(cursor, unknown)
        }
        if found:
            for account_id, currency, wallet_id, meters in default_wallets(cursor, list(found)):
                found[account_id].wallets[currency] = wallet_id
                if meters:
                    found[account_id].allowances[wallet_id] = frozenset(meters)
    if len(_accounts) + len(found) > MAX_REMEMBERED:
        _accounts.clear()
    for account in found.values():
        known[account.key] = _accounts.setdefault(account.key, account)
    return known


def refresh_wallets(accounts: Collection[AccountView]) -> None:
    """Look the default wallets of these accounts up again, and their meters with allowances. Other threads see the old ones
    or the new ones, never none."""
    wallets: dict[int, dict[str, int]] = {account.id: {} for account in accounts}
    allowances: dict[int, dict[int, frozenset[str]]] = {account.id: {} for account in accounts}
    with connection.cursor() as cursor:
        for account_id, currency, wallet_id, meters in default_wallets(cursor, list(wallets)):
            wallets[account_id][currency] = wallet_id
            if meters:
                allowances[account_id][wallet_id] = frozenset(meters)
    for account in accounts:
        account.wallets, account.allowances = wallets[account.id], allowances[account.id]


def forget() -> None:
    """Drop what this process remembers (the database was emptied under it)."""
    _accounts.clear()
