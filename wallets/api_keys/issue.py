"""Issue an API key, revoke it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.accounts.models import Account, User
from wallets.api_keys import verify
from wallets.api_keys.models import SCOPES, ApiKey
from wallets.errors import Conflict
from wallets.input import Input
from wallets.outbox.topics import ApiKeyIssued
from wallets.outbox.write import add_news

SECRET_BYTES: Final = 32
PREFIX_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"


class KeyRevoked(Conflict):
    """The key has been revoked already."""

    code = "key_revoked"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret, which is shown this once and kept nowhere."""

    api_key: ApiKey
    secret: str


def issue_api_key(
    *,
    name: str,
    scopes: Collection[str],
    at: datetime,
    account: Account | None = None,
    expires_at: datetime | None = None,
    actor: str = "",
    person: User | None = None,
) -> IssuedKey:
    """Issue a key. account: the only account it sees; None: all of them.  expires_at: None: never.  actor: who makes it, which
    its account (or, without one, finance) is told; empty: the system itself, and nobody is told.  person: whom a personal key
    acts as; only they may ask for it.

    Raises InvalidInput.
    """
    check = Input()
    name = check.text("name", name, longest=120, required=True)
    unknown = sorted(set(scopes) - set(SCOPES))
    check.expect("scopes", scopes and not unknown, f"at least one of {', '.join(SCOPES)}")
    if expires_at is not None:
        check.moment("expires_at", expires_at)
        check.expect("expires_at", expires_at > at, "a time to come")
    check.refuse("The key cannot be issued like this.")
    prefix = "key_" + "".join(secrets.choice(PREFIX_LETTERS) for _ in range(12))
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    with transaction.atomic():
        api_key = ApiKey.objects.create(
            prefix=prefix,
            key_hash=hashlib.sha256(secret.encode()).digest(),
            name=name,
            scopes=[scope for scope in SCOPES if scope in scopes],
            account=account,
            person=person,
            created_at=at,
            expires_at=expires_at,
        )
        if actor:
            _tell(api_key, actor, at=at)
    return IssuedKey(api_key, secret)


def _tell(api_key: ApiKey, actor: str, *, at: datetime) -> None:
    account = api_key.account
    told = ApiKeyIssued(
        account_id=account.pk if account else None,
        prefix=api_key.prefix,
        name=api_key.name,
        scopes=", ".join(api_key.scopes),
        actor=actor[:200],
    )
    subject = f"account:{account.pk}" if account else ""
    add_news([(subject, told)], at=at, bucket=account.bucket if account else 0)


def revoke_api_key(*, api_key: ApiKey, at: datetime) -> ApiKey:
    """End a key: here at once, in every other process as soon as it looks again (`verify.MAX_AGE_SECONDS`).

    Raises KeyRevoked when it was revoked before.
    """
    if not ApiKey.objects.filter(pk=api_key.pk, revoked_at__isnull=True).update(revoked_at=at):
        raise KeyRevoked(f"Key {api_key.prefix} is revoked already.")
    transaction.on_commit(lambda: verify.forget(bytes(api_key.key_hash)))
    api_key.revoked_at = at
    return api_key
