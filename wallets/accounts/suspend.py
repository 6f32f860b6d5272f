"""Suspend an account and reinstate it. The gate refuses a suspended account; usage that did happen is still charged."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.models import Account
from wallets.errors import Conflict
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

Status = Account.Status


class AccountSuspended(Conflict):
    """The account is suspended."""

    code = "account_suspended"


class AccountNotSuspended(Conflict):
    """The account is not suspended."""

    code = "account_not_suspended"


def suspend_account(*, account: Account, at: datetime) -> Account:
    """Have the gate refuse every call of this account. Raises AccountSuspended when it is already."""
    if not _move(account, Status.ACTIVE, Status.SUSPENDED, at):
        raise AccountSuspended(f"Account {account.key} is suspended already.")
    return account


def reinstate_account(*, account: Account, at: datetime) -> Account:
    """Let the gate decide on the balance again. Raises AccountNotSuspended."""
    if not _move(account, Status.SUSPENDED, Status.ACTIVE, at):
        raise AccountNotSuspended(f"Account {account.key} is not suspended.")
    return account


def _move(account: Account, before: Status, after: Status, at: datetime) -> bool:
    """Whether the account was in `before` and is now in `after`."""
    with transaction.atomic():
        if not Account.objects.filter(pk=account.pk, status=before, closed_at__isnull=True).update(status=after):
            return False
        add_news([("", AccountsChanged([account.pk]))], at=at, bucket=account.bucket)
    account.status = after
    return True
