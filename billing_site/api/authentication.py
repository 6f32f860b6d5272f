"""Bearer key -> request.auth, a Caller. The check is cached for a few seconds in `wallets/api_keys/verify.py`."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from billing_site.api.throttles import WINDOW_SECONDS, too_many_refused
from billing_site.sign_in.where import address_of
from wallets import clock
from wallets.api_keys.verify import Caller, KeyRefused, verify_api_key

SCHEME = "bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        """The caller behind the request; None when it names no key.

        Raises KeyRefused for a key that is unknown, revoked or expired; Throttled when that came too often from one address.
        """
        secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
        if secret is None:
            return None
        try:
            return AnonymousUser(), verify_api_key(secret, at=clock.now())
        except KeyRefused:
            if too_many_refused(address_of(request)):
                raise Throttled(WINDOW_SECONDS) from None
            raise

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """What a 401 asks for."""
        return 'Bearer realm="api"'


def bearer_secret(header: str) -> str | None:
    """The key in an Authorization header; None when it is of another scheme or absent."""
    scheme, _, secret = header.strip().partition(" ")
    if scheme.lower() != SCHEME:
        return None
    return secret.strip()


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names it."""

    target_class = "billing_site.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002 - drf-spectacular's signature
        """A bearer token."""
        return {"type": "http", "scheme": SCHEME, "description": "An API key: `Authorization: Bearer key_…`"}
