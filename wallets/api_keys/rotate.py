"""Put a new key in the place of one that is in use, with time to change over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from wallets.api_keys import verify
from wallets.api_keys.issue import IssuedKey, KeyRevoked, issue_api_key
from wallets.api_keys.models import ApiKey
from wallets.input import Input

MOST_OVERLAP_HOURS = 24 * 30


def rotate_api_key(*, api_key: ApiKey, overlap_hours: int, at: datetime, actor: str = "") -> IssuedKey:
    """A key of the same name, scopes, account and expiry; the old one works for `overlap_hours` more (0: no longer), or until
    it would have expired.

    Raises KeyRevoked for a key that is revoked or has expired, InvalidInput.
    """
    check = Input()
    check.whole("overlap_hours", overlap_hours, least=0, most=MOST_OVERLAP_HOURS)
    check.refuse("The key cannot be rotated like this.")
    ends = at + timedelta(hours=overlap_hours)
    with transaction.atomic():
        old = ApiKey.objects.select_for_update().get(pk=api_key.pk)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= at):
            raise KeyRevoked(f"Key {old.prefix} does not work any more; make a new one.")
        issued = issue_api_key(
            name=old.name,
            scopes=old.scopes,
            at=at,
            account=old.account,
            expires_at=old.expires_at,
            actor=actor,
            person=old.person,
        )
        old.expires_at = ends if old.expires_at is None else min(ends, old.expires_at)
        old.save(update_fields=["expires_at"])
        transaction.on_commit(lambda: verify.forget(bytes(old.key_hash)))
    return issued
