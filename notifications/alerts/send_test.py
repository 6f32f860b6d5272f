"""Send an endpoint a test, and nobody else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from notifications.alerts.models import Alert, Delivery
from notifications.alerts.raise_alert import wake_sender
from notifications.channels.webhook.endpoints import EndpointDisabled
from notifications.channels.webhook.models import WebhookEndpoint

TOPIC = "test"


def send_test(*, endpoint: WebhookEndpoint, at: datetime) -> Delivery:
    """A test event on its way to the endpoint, whatever events it chose. Raises EndpointDisabled."""
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise EndpointDisabled("The webhook endpoint is disabled; enable it first.")
    channel = Delivery.Channel.SLACK if endpoint.kind == WebhookEndpoint.Kind.SLACK else Delivery.Channel.WEBHOOK
    with transaction.atomic():
        alert = Alert(
            account_id=endpoint.account_id,
            topic=TOPIC,
            audience=Alert.Audience.CUSTOMER if endpoint.account_id is not None else Alert.Audience.FINANCE,
            mandatory=True,
            raised_at=at,
            resolved_at=at,
        )
        alert.key = f"{TOPIC}:{alert.public_id}"
        alert.save(force_insert=True)
        delivery = Delivery.objects.create(
            alert=alert, channel=channel, endpoint=endpoint, address=endpoint.url, next_at=at, created_at=at
        )
        transaction.on_commit(wake_sender, robust=True)
    return delivery
