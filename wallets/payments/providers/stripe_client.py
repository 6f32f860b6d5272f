"""How Stripe is asked, and its errors in our words. This file and those named `stripe…` beside it are all that know it.

The API version is pinned, so that an upgrade of Stripe's default changes nothing; STRIPE_API_URL points at the sandbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import stripe

from wallets.payments.providers.contract import ProviderRefused, ProviderUnavailable

log = logging.getLogger(__name__)

API_VERSION: Final = "2026-10-28.endive"
# A charge takes a few seconds; after that long nobody waits any more, and the same key asks again.
TIMEOUT_SECONDS: Final = 20
NETWORK_RETRIES: Final = 1
_NOT_FOUND: Final = 404
T = TypeVar("T")


class Declined(ProviderRefused):
    """The card was declined; the payment says how."""


def stripe_client(secret_key: str, api_url: str = "") -> stripe.StripeClient:
    """A client. api_url: of the sandbox; empty is Stripe's own."""
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        base_addresses={"api": api_url} if api_url else None,
    )


def asked(call: Callable[[], T]) -> T:
    """What Stripe answers. Raises Declined, ProviderRefused: it did not act; ProviderUnavailable: it may have."""
    try:
        return call()
    except stripe.CardError as error:
        raise Declined(error.user_message or "The card was declined.") from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderUnavailable("The payment provider cannot be reached; try again in a moment.") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # Our own mistake: the key is wrong, revoked or confined. No card is blamed, and nothing is given up for it.
        log.error("Stripe does not take STRIPE_SECRET_KEY for this (%s)", error.code or error.http_status)  # noqa: TRY400
        raise ProviderUnavailable("The payment provider cannot be asked at the moment; we see to it.") from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if status >= 500 or status == 409 or isinstance(error, stripe.APIError):  # noqa: PLR2004 - 409: the first is running
            raise ProviderUnavailable("The payment provider has a problem; try again in a moment.") from error
        refused = ProviderRefused(f"The payment provider did not take this{f' ({error.code})' if error.code else ''}.")
        refused.not_found = status == _NOT_FOUND  # type: ignore[attr-defined]
        raise refused from error


def found(call: Callable[[], T]) -> T | None:
    """What Stripe answers; None for what it does not know."""
    try:
        return asked(call)
    except ProviderRefused as refused:
        if getattr(refused, "not_found", False):
            return None
        raise
