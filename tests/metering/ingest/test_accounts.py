"""Which accounts there are and what they are charged to, kept in memory by every process."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering.ingest import accounts
from metering.ingest.accounts import refresh_wallets, resolve_accounts
from tests.cast import OPENED_AT, Company, open_company
from wallets.balances.open import close_wallet, open_wallet

pytestmark = pytest.mark.django_db


def test_accounts_are_looked_up_once(acme: Company, globex: Company) -> None:
    with CaptureQueriesContext(connection) as first:
        found = resolve_accounts({"acme", "globex"})
    with CaptureQueriesContext(connection) as again:
        assert resolve_accounts({"acme", "globex"}) == found
    assert (len(first), len(again)) == (2, 0)
    assert found["acme"].wallets == {"USD": acme.wallet.pk}
    assert (found["globex"].id, found["globex"].bucket) == (globex.account.pk, globex.account.bucket)


def test_what_does_not_exist_is_left_out_and_asked_for_again(acme: Company) -> None:
    assert list(resolve_accounts({"acme", "nobody", "", "ac\x00me", "\ud800", "x" * 10_000})) == ["acme"]
    later = open_company("nobody")
    assert resolve_accounts({"nobody"})["nobody"].id == later.account.pk


def test_only_wallets_that_are_open_and_the_default_of_their_currency_are_charged(acme: Company) -> None:
    euros = open_wallet(account=acme.account, currency="EUR", at=OPENED_AT)
    open_wallet(account=acme.account, currency="USD", at=OPENED_AT)
    assert resolve_accounts({"acme"})["acme"].wallets == {"USD": acme.wallet.pk, "EUR": euros.pk}
    close_wallet(wallet_id=euros.pk, at=OPENED_AT)
    view = resolve_accounts({"acme"})["acme"]
    refresh_wallets([view])
    assert view.wallets == {"USD": acme.wallet.pk}


def test_while_wallets_are_looked_up_again_others_see_them_as_they_were(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread rates with the same view; if it saw none, its events would wait for a wallet that is there."""
    view = resolve_accounts({"acme"})["acme"]
    look_up, seen = accounts.default_wallets, []

    def look_up_slowly(cursor: Any, account_ids: Any) -> Any:
        seen.append(dict(view.wallets))
        yield from look_up(cursor, account_ids)
        seen.append(dict(view.wallets))

    monkeypatch.setattr(accounts, "default_wallets", look_up_slowly)
    refresh_wallets([view])
    assert [*seen, view.wallets] == [{"USD": acme.wallet.pk}] * 3


def test_a_process_that_knows_too_many_begins_again_and_loses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_REMEMBERED", 3)
    keys = [f"customer-{number}" for number in range(5)]
    for key in keys:
        open_company(key)
    for wanted in (keys[:3], keys[2:], keys, keys[:1], keys):
        assert sorted(resolve_accounts(set(wanted))) == wanted
