"""System checks: combinations of settings that must not serve the public."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

from billing_site.sign_in.sign_up import CHOICES

# A bucket is a smallint.
_MOST_BUCKETS = 32_767


@register(Tags.security)
def check_debug(**_: Any) -> list[CheckMessage]:
    """billing.E001: DEBUG shows settings and queries to whoever provokes an error."""
    if settings.DEBUG and not settings.SITE_IS_LOCAL:
        return [Error("DEBUG is on for a public site", hint=f"unset DEBUG; SITE_URL is {settings.SITE_URL}", id="billing.E001")]
    return []


@register(Tags.security)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """billing.E002: with the default key anybody can sign a session."""
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY:
        return [Error("SECRET_KEY is the default", hint="set SECRET_KEY or SECRET_KEY_FILE", id="billing.E002")]
    return []


@register()
def check_time_zone(**_: Any) -> list[CheckMessage]:
    """billing.E003: periods, expiry and prices are computed in UTC."""
    if settings.TIME_ZONE != "UTC" or not settings.USE_TZ:
        return [Error("TIME_ZONE is not UTC", hint="zones belong to accounts and viewers", id="billing.E003")]
    return []


@register()
def check_buckets(**_: Any) -> list[CheckMessage]:
    """billing.E004: HOT_BUCKETS counts the values a smallint column takes."""
    if not 1 <= settings.HOT_BUCKETS <= _MOST_BUCKETS:
        return [Error(f"HOT_BUCKETS is {settings.HOT_BUCKETS}", hint=f"between 1 and {_MOST_BUCKETS}", id="billing.E004")]
    return []


@register()
def check_sign_up(**_: Any) -> list[CheckMessage]:
    """billing.E005: a word nobody knows would close sign-up, or open it."""
    if settings.SIGN_UP not in CHOICES:
        return [Error(f"SIGN_UP is {settings.SIGN_UP}", hint=f"one of {', '.join(CHOICES)}", id="billing.E005")]
    return []


@register(Tags.security)
def check_staff_two_factor(**_: Any) -> list[CheckMessage]:
    """billing.W003: a password alone opens the back office."""
    if not settings.STAFF_TWO_FACTOR and not settings.SITE_IS_LOCAL:
        return [Warning("STAFF_TWO_FACTOR is off on a public site", hint="unset STAFF_TWO_FACTOR", id="billing.W003")]
    return []


@register(Tags.security)
def check_https(**_: Any) -> list[CheckMessage]:
    """billing.W001: sessions and API keys of a public site travel in the clear without https."""
    if not settings.SITE_IS_LOCAL and not settings.SITE_URL.startswith("https://"):
        return [Warning("SITE_URL is public but not https", hint="set SITE_URL=https://...", id="billing.W001")]
    return []


@register(Tags.security)
def check_outgoing(**_: Any) -> list[CheckMessage]:
    """billing.W002: a customer's webhook could reach what an exempt host serves inside."""
    if settings.OUTGOING_ALLOWED_HOSTS and not settings.SITE_IS_LOCAL:
        said = f"OUTGOING_ALLOWED_HOSTS exempts {', '.join(settings.OUTGOING_ALLOWED_HOSTS)} on a public site"
        return [Warning(said, hint="unset OUTGOING_ALLOWED_HOSTS", id="billing.W002")]
    return []
