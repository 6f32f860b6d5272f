"""Where a request comes from."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The address rate limits count, as the proxy says it where there is one; None where no address is known."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None


def agent_of(request: HttpRequest) -> str:
    """The browser, as it calls itself."""
    return str(request.headers.get("User-Agent", ""))
