"""Where a customer whose call was refused tops up."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings


def top_up_url(account_key: str) -> str:
    """The page for this account: TOP_UP_URL, with `{account}` replaced by its key."""
    return str(settings.TOP_UP_URL).replace("{account}", quote(account_key, safe=""))
