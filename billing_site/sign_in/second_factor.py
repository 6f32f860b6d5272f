"""Second factors: who has one, who used one to come in, and whether a code is right."""

from __future__ import annotations

from typing import Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.http import HttpRequest

from wallets.accounts.models import User

Type = Authenticator.Type
FACTORS: Final = (Type.TOTP, Type.WEBAUTHN)
WITH_CODE: Final = (Type.TOTP, Type.RECOVERY_CODES)

# A code has a million values and is good for a minute.
MOST_TRIES: Final = 5
TRIES_SECONDS: Final = 300


def has_factor(user: User) -> bool:
    """Whether they set up an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def came_in_with_factor(request: HttpRequest, user: User) -> bool:
    """Whether the second factor was asked for in this session, and right."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def check_code(user: User, code: str) -> bool | None:
    """Whether the code of the person's authenticator app, or one of their recovery codes, is right; None: they have no app.

    Five wrong codes in five minutes, and no code is right for a while.
    """
    rows = list(Authenticator.objects.filter(user=user, type__in=WITH_CODE))
    if not any(row.type == Type.TOTP for row in rows):
        return None
    if not code:
        return False
    tries = f"second-factor:{user.pk}"
    cache.add(tries, 0, TRIES_SECONDS)
    if cache.incr(tries) > MOST_TRIES:  # counted before it is looked at: many at once are no way round
        return False
    for row in rows:
        if row.wrap().validate_code(code.strip()):
            row.record_usage()
            cache.delete(tries)
            return True
    return False
