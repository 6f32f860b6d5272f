"""Who is behind a request."""

from __future__ import annotations

from rest_framework.request import Request

from wallets.api_keys.verify import Caller


def caller_of(request: Request) -> Caller:
    """The caller that authentication found; a view that is reached has one."""
    caller = request.auth
    assert isinstance(caller, Caller), "a view was reached without authentication"
    return caller
