"""Who is calling: a key's secret -> Caller. A verified key is remembered for a few seconds, so that a busy gateway does
not cost a query a request, and revoking one works everywhere within five seconds."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from wallets.api_keys.models import ApiKey
from wallets.errors import Refusal

MAX_AGE_SECONDS: Final = 4.0
MAX_REMEMBERED: Final = 10_000
MAX_SECRET: Final = 200  # characters; ours have 60
USE_NOTED_EVERY: Final = timedelta(minutes=1)


class KeyRefused(Refusal):
    """The API key is unknown, revoked or expired (which of them is told to nobody outside)."""

    code = "invalid_api_key"


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a request: its key, what it may do, and the account it is confined to (None: all accounts);
    of a personal key, whom it acts as."""

    key_id: int
    prefix: str
    name: str
    scopes: frozenset[str]
    account_id: int | None = None
    account_key: str | None = None
    person_id: int | None = None

    @property
    def actor(self) -> str:
        """How the journal names it."""
        return f"api:{self.prefix}"


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires_at: datetime | None
    read_at: float  # monotonic seconds


_known: dict[bytes, _Known] = {}


def verify_api_key(secret: str, *, at: datetime) -> Caller:
    """The caller whose key this is. Raises KeyRefused for a key that is unknown, revoked or expired.

    At most MAX_AGE_SECONDS old; the key's last use is noted once a minute, without waiting for anybody.
    """
    if len(secret) > MAX_SECRET:
        raise KeyRefused("The API key is not valid.")
    digest = hashlib.sha256(secret.encode(errors="replace")).digest()
    known = _known.get(digest)
    if known is None or time.monotonic() - known.read_at > MAX_AGE_SECONDS:
        known = _read(digest, at)
        if known is None:
            _known.pop(digest, None)
            raise KeyRefused("The API key is not valid.")
        if len(_known) >= MAX_REMEMBERED:
            _known.clear()
        _known[digest] = known
    if known.expires_at is not None and known.expires_at <= at:
        raise KeyRefused("The API key is not valid.")
    return known.caller


def remembered_caller(secret: str, *, at: datetime) -> Caller | None:
    """The caller whose key this is, if it was verified within MAX_AGE_SECONDS; None: ask `verify_api_key`. No query."""
    known = _known.get(hashlib.sha256(secret.encode(errors="replace")).digest())
    if known is None or time.monotonic() - known.read_at > MAX_AGE_SECONDS:
        return None
    return known.caller if known.expires_at is None or known.expires_at > at else None


def forget(digest: bytes | None = None) -> None:
    """Drop one remembered key by the hash of its secret, or all of them."""
    if digest is None:
        _known.clear()
    else:
        _known.pop(digest, None)


def _read(digest: bytes, at: datetime) -> _Known | None:
    """The key with this hash, if it is not revoked; notes that it is in use."""
    read_at = time.monotonic()
    key = ApiKey.objects.select_related("account").filter(key_hash=digest, revoked_at__isnull=True).first()
    if key is None or not hmac.compare_digest(bytes(key.key_hash), digest):
        return None
    if key.last_used_at is None or at - key.last_used_at >= USE_NOTED_EVERY:
        _note_use(key.pk, at)
    account = key.account
    caller = Caller(
        key_id=key.pk,
        prefix=key.prefix,
        name=key.name,
        scopes=frozenset(key.scopes),
        account_id=key.account_id,
        account_key=account.key if account else None,
        person_id=key.person_id,
    )
    return _Known(caller, key.expires_at, read_at)


def _note_use(key_id: int, at: datetime) -> None:
    """Write the last use, unless somebody else is writing the row: then they note it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE wallets_apikey SET last_used_at = %s
               WHERE id = (SELECT id FROM wallets_apikey WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)
                           FOR UPDATE SKIP LOCKED)""",
            [at, key_id, at - USE_NOTED_EVERY],
        )
