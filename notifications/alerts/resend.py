"""Send webhooks of an endpoint again, with the ids they had."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import wake_sender
from notifications.channels.webhook.endpoints import EndpointDisabled
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.errors import InvalidInput


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[Delivery]:
    """The log of an endpoint."""
    return Delivery.objects.filter(endpoint=endpoint).select_related("alert")


def resend(*, endpoint: WebhookEndpoint, since: datetime, until: datetime, at: datetime) -> int:
    """Have every event of [since, until) sent again, also those that were taken; how many. What is waiting or
    under way stays so. Raises InvalidInput, EndpointDisabled."""
    if since >= until:
        raise InvalidInput("Nothing is in this range.", fields={"until": "later than since"})
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise EndpointDisabled("The webhook endpoint is disabled; enable it first.")
    over = deliveries_of(endpoint).filter(alert__raised_at__gte=since, alert__raised_at__lt=until)
    with transaction.atomic():
        again = over.exclude(state__in=[Delivery.State.WAITING, Delivery.State.SENDING])
        count = Delivery.objects.filter(pk__in=again.values("pk")).update(
            state=Delivery.State.WAITING, next_at=at, attempts_before=F("attempts"), reason=""
        )
        transaction.on_commit(wake_sender, robust=True)
    return count
