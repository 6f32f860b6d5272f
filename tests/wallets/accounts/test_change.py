"""Changing an account's details."""

from __future__ import annotations

import pytest

from tests.cast import Company
from wallets.accounts.change import AccountChanges, change_account
from wallets.errors import InvalidInput


def test_what_is_left_out_stays(acme: Company) -> None:
    change_account(account=acme.account, changes=AccountChanges(name="Acme GmbH", country="DE"))
    acme.account.refresh_from_db()
    assert (acme.account.name, acme.account.country, acme.account.email) == ("Acme GmbH", "DE", "billing@acme.example")


def test_what_is_not_acceptable_changes_nothing(acme: Company) -> None:
    with pytest.raises(InvalidInput) as refused:
        change_account(account=acme.account, changes=AccountChanges(name="Acme GmbH", time_zone="Mars/Olympus"))
    assert list(refused.value.fields) == ["time_zone"]
    acme.account.refresh_from_db()
    assert acme.account.name == "Acme"
