"""Endpoints: made, changed, their secret rotated, disabled, enabled, removed; and which are told of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from notifications.channels.safe_request import LONGEST_URL, AddressRefused, read_url
from notifications.channels.topics import TOPICS
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.channels.webhook.sealed import seal, seal_again, unseal
from notifications.channels.webhook.sign import new_secret
from wallets.accounts.models import Account
from wallets.errors import Conflict, NotFound
from wallets.input import Input

MOST_ENDPOINTS: Final = 20
LONGEST_DESCRIPTION: Final = 200
OVERLAP: Final = timedelta(hours=24)
"""How long the secret before still signs after a rotation."""
LONGEST_OVERLAP: Final = timedelta(days=7)
DISABLED_AFTER: Final = timedelta(days=5)
"""An endpoint that took nothing for so long is disabled: longer than one event is tried, so that it has missed some."""


class TooManyEndpoints(Conflict):
    """The account has as many endpoints as it may."""

    code = "too_many_webhook_endpoints"


class EndpointDisabled(Conflict):
    """Nothing is sent to it until it is enabled."""

    code = "webhook_endpoint_disabled"


@dataclass(frozen=True, slots=True)
class EndpointTerms:
    """What is chosen about an endpoint. event_types: of TOPICS; empty: all."""

    url: str
    description: str = ""
    event_types: Sequence[str] = ()
    kind: str = "STANDARD"


def endpoints_seen(*, only_account_id: int | None) -> QuerySet[WebhookEndpoint]:
    """The endpoints a caller may see: all for the vendor, an account's own for a key confined to it."""
    endpoints = WebhookEndpoint.objects.filter(removed_at__isnull=True).select_related("account")
    return endpoints if only_account_id is None else endpoints.filter(account_id=only_account_id)


def endpoint_by_id(*, public_id: str, only_account_id: int | None) -> WebhookEndpoint:
    """Raises NotFound, also when it is another account's."""
    endpoint = endpoints_seen(only_account_id=only_account_id).filter(public_id=public_id).first()
    if endpoint is None:
        raise NotFound(f"There is no webhook endpoint {public_id[:40]}.")
    return endpoint


def endpoints_for(*, topic: str, account_id: int | None) -> list[WebhookEndpoint]:
    """The active endpoints that are told of this topic: the account's, and the vendor's. In the order they were made."""
    chosen = Q(event_types=[]) | Q(event_types__contains=[topic])
    whose = Q(account__isnull=True) | (Q(account_id=account_id) if account_id is not None else Q(pk__in=[]))
    if TOPICS[topic].finance:
        whose = Q(account__isnull=True)
    active = WebhookEndpoint.objects.filter(removed_at__isnull=True, state=WebhookEndpoint.State.ACTIVE)
    return list(active.filter(chosen, whose).order_by("id"))


def make_endpoint(*, account: Account | None, terms: EndpointTerms, at: datetime) -> WebhookEndpoint:
    """A new endpoint with a secret of its own. Raises InvalidInput, TooManyEndpoints."""
    values = _checked(terms, slack=account is None)
    with transaction.atomic():
        if account is not None:
            Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
        others = WebhookEndpoint.objects.filter(account=account, removed_at__isnull=True)
        if others.count() >= MOST_ENDPOINTS:
            raise TooManyEndpoints(f"There are {MOST_ENDPOINTS} webhook endpoints already; remove one.")
        return WebhookEndpoint.objects.create(account=account, sealed_secret=seal(new_secret()), created_at=at, **values)


def change_endpoint(*, endpoint: WebhookEndpoint, terms: EndpointTerms) -> WebhookEndpoint:
    """Another address, description or choice of events; events that wait go to the new address. Raises InvalidInput."""
    values = _checked(terms, slack=endpoint.account_id is None)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**values)
    endpoint.refresh_from_db()
    return endpoint


def rotate_secret(*, endpoint: WebhookEndpoint, at: datetime, overlap: timedelta = OVERLAP) -> WebhookEndpoint:
    """A new secret. The one before signs beside it for `overlap` (none: it stops at once). Raises InvalidInput."""
    asked = Input()
    asked.expect("overlap_hours", timedelta(0) <= overlap <= LONGEST_OVERLAP, f"0 to {LONGEST_OVERLAP // timedelta(hours=1)}")
    asked.refuse()
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
        locked.sealed_previous_secret = locked.sealed_secret if overlap else ""
        locked.previous_secret_until = at + overlap if overlap else None
        locked.sealed_secret = seal(new_secret())
        locked.save(update_fields=["sealed_secret", "sealed_previous_secret", "previous_secret_until"])
    endpoint.refresh_from_db()
    return endpoint


def signing_secrets(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """What requests are signed with: its secret, and for the overlap the one before. Raises SecretLost."""
    until = endpoint.previous_secret_until
    if until is not None and at < until:
        return [endpoint.secret, unseal(endpoint.sealed_previous_secret)]
    return [endpoint.secret]


def reseal_secrets() -> int:
    """Seal every secret with the present SECRET_KEY, so that its fallbacks can go. Returns how many endpoints. Raises
    SecretLost when one cannot be opened; then none is changed."""
    with transaction.atomic():
        endpoints = list(WebhookEndpoint.objects.select_for_update(of=("self",)).exclude(sealed_secret="").order_by("id"))
        for endpoint in endpoints:
            endpoint.sealed_secret = seal_again(endpoint.sealed_secret)
            endpoint.sealed_previous_secret = seal_again(endpoint.sealed_previous_secret)
        WebhookEndpoint.objects.bulk_update(endpoints, ["sealed_secret", "sealed_previous_secret"], batch_size=500)
    return len(endpoints)


def disable_endpoint(*, endpoint_id: int, reason: str, at: datetime) -> bool:
    """Send it nothing more. False when it was disabled before."""
    active = WebhookEndpoint.objects.filter(pk=endpoint_id, state=WebhookEndpoint.State.ACTIVE)
    return bool(active.update(state=WebhookEndpoint.State.DISABLED, disabled_at=at, disabled_reason=reason[:200]))


def enable_endpoint(*, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send to it again, from now on; what it missed can be sent again from its log."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        state=WebhookEndpoint.State.ACTIVE, disabled_at=None, disabled_reason="", failing_since=None
    )
    endpoint.refresh_from_db()
    return endpoint


def remove_endpoint(*, endpoint: WebhookEndpoint, at: datetime) -> None:
    """Forget it and its secrets; its log stays."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        removed_at=at, sealed_secret="", sealed_previous_secret="", previous_secret_until=None
    )


def note_taken(*, endpoint_id: int) -> None:
    """It takes requests."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, failing_since__isnull=False).update(failing_since=None)


def note_failed(*, endpoint_id: int, at: datetime) -> bool:
    """It did not take one. True when that went on for so long that it is disabled now, by this call."""
    WebhookEndpoint.objects.filter(pk=endpoint_id, failing_since__isnull=True).update(failing_since=at)
    long = WebhookEndpoint.objects.filter(pk=endpoint_id, failing_since__lte=at - DISABLED_AFTER).exists()
    days = DISABLED_AFTER // timedelta(days=1)
    return long and disable_endpoint(endpoint_id=endpoint_id, reason=f"took nothing for {days} days", at=at)


def _checked(terms: EndpointTerms, *, slack: bool) -> dict[str, Any]:
    asked = Input()
    url = asked.text("url", terms.url, longest=LONGEST_URL, required=True)
    try:
        read_url(url)
    except AddressRefused as refused:
        asked.expect("url", False, str(refused))
    kinds = ["STANDARD", "SLACK"] if slack else ["STANDARD"]
    chosen = asked.names("event_types", terms.event_types, longest=64, most=len(TOPICS))
    unknown = [name for name in chosen if name not in TOPICS]
    asked.expect("event_types", not unknown, f"of {', '.join(TOPICS)}")
    values = {
        "url": url,
        "description": asked.text("description", terms.description, longest=LONGEST_DESCRIPTION),
        "event_types": chosen,
        "kind": asked.choice("kind", terms.kind, kinds),
    }
    asked.refuse("The webhook endpoint cannot be like this.")
    return values
