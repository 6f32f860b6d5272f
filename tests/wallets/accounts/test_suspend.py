"""Suspending accounts, reinstating them."""

from __future__ import annotations

import pytest

from tests.cast import Company, days_after_opening
from wallets.accounts.suspend import AccountNotSuspended, AccountSuspended, reinstate_account, suspend_account
from wallets.outbox.models import News

AT = days_after_opening(1)


def test_an_account_is_suspended_and_reinstated_once_each(acme: Company) -> None:
    suspend_account(account=acme.account, at=AT)
    acme.account.refresh_from_db()
    assert acme.account.status == "SUSPENDED"
    with pytest.raises(AccountSuspended):
        suspend_account(account=acme.account, at=AT)
    reinstate_account(account=acme.account, at=AT)
    acme.account.refresh_from_db()
    assert acme.account.status == "ACTIVE"
    with pytest.raises(AccountNotSuspended):
        reinstate_account(account=acme.account, at=AT)


def test_each_move_is_told_once(acme: Company) -> None:
    News.objects.all().delete()
    suspend_account(account=acme.account, at=AT)
    with pytest.raises(AccountSuspended):
        suspend_account(account=acme.account, at=AT)
    assert list(News.objects.values_list("topic", "payload")) == [("accounts_changed", {"account_ids": [acme.account.pk]})]
