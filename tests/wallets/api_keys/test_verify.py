"""API keys: shown once, kept hashed, verified from memory for a moment, gone everywhere within five seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.cast import Company, days_after_opening
from wallets.api_keys import verify
from wallets.api_keys.issue import IssuedKey, KeyRevoked, issue_api_key, revoke_api_key
from wallets.api_keys.models import ApiKey
from wallets.api_keys.verify import KeyRefused, verify_api_key
from wallets.errors import InvalidInput

AT = days_after_opening(1)


@pytest.fixture(autouse=True)
def _remember_nothing() -> Iterator[None]:
    verify.forget()
    yield
    verify.forget()


@pytest.fixture
def gateway(db: None) -> IssuedKey:
    return issue_api_key(name="gateway", scopes=["events:write", "gate:check"], at=AT)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let `seconds` pass for the memory of verified keys."""
    passed = verify.time.monotonic() + seconds
    monkeypatch.setattr(verify, "time", SimpleNamespace(monotonic=lambda: passed))


def queries_of(secret: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        verify_api_key(secret, at=AT)
    return len(queries)


def test_a_key_is_kept_as_its_hash_only(gateway: IssuedKey) -> None:
    kept = ApiKey.objects.values().get()
    assert bytes(kept["key_hash"]) == hashlib.sha256(gateway.secret.encode()).digest()
    assert gateway.secret not in str(kept)
    assert gateway.secret.startswith(kept["prefix"])


def test_a_key_tells_who_is_calling(gateway: IssuedKey, acme: Company) -> None:
    caller = verify_api_key(gateway.secret, at=AT)
    assert (caller.name, caller.scopes, caller.account_key) == ("gateway", {"events:write", "gate:check"}, None)
    confined = verify_api_key(acme.api.secret, at=AT)
    assert (confined.account_id, confined.account_key) == (acme.account.pk, "acme")


@pytest.mark.parametrize("secret", ["", "x", "key_000000000000_nothing", "x" * 10_000, "key_\x00", "schlüssel", "\ud800"])
def test_what_is_no_key_is_refused(db: None, secret: str) -> None:
    with pytest.raises(KeyRefused):
        verify_api_key(secret, at=AT)


def test_a_verified_key_costs_no_query_for_some_seconds(gateway: IssuedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queries_of(gateway.secret) == 2  # the key, the note of its use
    assert queries_of(gateway.secret) == 0
    later(monkeypatch, verify.MAX_AGE_SECONDS + 0.1)
    assert queries_of(gateway.secret) == 1


def test_a_key_revoked_in_another_process_ends_within_five_seconds(gateway: IssuedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    verify_api_key(gateway.secret, at=AT)
    ApiKey.objects.update(revoked_at=AT)
    later(monkeypatch, 4.9)
    with pytest.raises(KeyRefused):
        verify_api_key(gateway.secret, at=AT)


def test_a_key_revoked_in_this_process_ends_with_the_commit(
    gateway: IssuedKey, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    verify_api_key(gateway.secret, at=AT)
    with django_capture_on_commit_callbacks(execute=True):
        revoke_api_key(api_key=gateway.api_key, at=AT)
    with pytest.raises(KeyRefused):
        verify_api_key(gateway.secret, at=AT)
    with pytest.raises(KeyRevoked):
        revoke_api_key(api_key=gateway.api_key, at=AT)


def test_a_key_expires_to_the_moment_though_it_is_remembered(db: None) -> None:
    short = issue_api_key(name="short", scopes=["events:write"], at=AT, expires_at=AT + timedelta(seconds=1))
    verify_api_key(short.secret, at=AT)
    with pytest.raises(KeyRefused):
        verify_api_key(short.secret, at=AT + timedelta(seconds=1))


def test_the_last_use_is_noted_once_a_minute(gateway: IssuedKey) -> None:
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        verify.forget()
        verify_api_key(gateway.secret, at=AT + timedelta(seconds=seconds))
        assert ApiKey.objects.get(pk=gateway.api_key.pk).last_used_at == AT + timedelta(seconds=noted)


@pytest.mark.parametrize(("scopes", "field"), [([], "scopes"), (["everything"], "scopes"), (["events:write", "x"], "scopes")])
def test_a_key_has_scopes_that_exist(db: None, scopes: list[str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        issue_api_key(name="gateway", scopes=scopes, at=AT)
    assert list(refused.value.fields) == [field]
