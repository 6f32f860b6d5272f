"""Opening accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings

from wallets.accounts.models import Account
from wallets.accounts.open import AccountExists, bucket_of, open_account
from wallets.errors import InvalidInput

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_an_account_is_opened_under_the_vendors_own_key(db: None) -> None:
    account = open_account(
        key="acme", name=" Acme Ltd ", at=AT, email="a@acme.example", time_zone="Europe/Berlin", country="DE"
    )
    account.refresh_from_db()
    assert (account.key, account.name, account.email) == ("acme", "Acme Ltd", "a@acme.example")
    assert (account.currency, account.time_zone, account.country) == ("USD", "Europe/Berlin", "DE")
    assert (account.status, account.created_at) == ("ACTIVE", AT)


def test_a_key_is_given_once(db: None) -> None:
    open_account(key="acme", name="Acme", at=AT)
    with pytest.raises(AccountExists) as refused:
        open_account(key="acme", name="Another", at=AT)
    assert set(refused.value.fields) == {"account"}
    assert Account.objects.get().name == "Acme"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", ""),
        ("account", "-acme"),
        ("account", "ac me"),
        ("account", "acme\n"),
        ("account", "a" * 121),
        ("account", "\u0430cme"),
        ("name", "   "),
        ("name", "a" * 201),
        ("name", "a\x00b"),
        ("name", "a\ud800b"),
        ("email", "nobody"),
        ("currency", "usd"),
        ("currency", "U"),
        ("currency", "USD\n"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
        ("time_zone", "/etc/passwd"),
        ("time_zone", "../UTC"),
        ("country", "Germany"),
        ("country", "de"),
    ],
)
def test_what_is_not_acceptable_is_refused_by_name(db: None, field: str, value: str) -> None:
    fields: dict[str, Any] = {"name": "Acme", "key": "acme"} | {"key" if field == "account" else field: value}
    with pytest.raises(InvalidInput) as refused:
        open_account(at=AT, **fields)
    assert list(refused.value.fields) == [field]
    assert not Account.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(db: None) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_account(key="", name="", at=AT, currency="", time_zone="x", country="xx", email="x")
    assert set(refused.value.fields) == {"account", "name", "currency", "time_zone", "country", "email"}


def test_the_bucket_is_given_by_the_key_alone(settings: Settings) -> None:
    settings.HOT_BUCKETS = 8
    assert [bucket_of(key) for key in ("acme", "globex", "initech")] == [
        bucket_of(key) for key in ("acme", "globex", "initech")
    ]
    assert {bucket_of(f"account-{number}") for number in range(200)} == set(range(8))
    settings.HOT_BUCKETS = 1
    assert bucket_of("acme") == 0
