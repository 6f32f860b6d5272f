"""One event to one endpoint, as Standard Webhooks has it: `webhook-id` is the delivery's id and the same at every attempt,
so that a receiver that stores ids has each event once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from notifications.channels.contract import Message, Outcome, Sent
from notifications.channels.safe_request import post
from notifications.channels.webhook.endpoints import signing_secrets
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.channels.webhook.sign import signed_headers


def send_webhook(message: Message, *, at: datetime, handing_over: Callable[[], None]) -> Sent:  # noqa: ARG001 - at least once
    """POST it, signed. Never to an endpoint that is disabled or gone."""
    assert message.endpoint_id is not None, "a webhook goes to an endpoint"
    endpoint = WebhookEndpoint.objects.filter(pk=message.endpoint_id, removed_at__isnull=True).first()
    if endpoint is None or endpoint.state != WebhookEndpoint.State.ACTIVE:
        return Sent(Outcome.NEVER, answer="the endpoint is disabled" if endpoint else "the endpoint was removed")
    body = webhook_body(message)
    signed = signed_headers(message_id=message.delivery, body=body, signing=signing_secrets(endpoint, at=at), at=at)
    return post(endpoint.url, body=body.encode(), headers={"Content-Type": "application/json", **signed})


def webhook_body(message: Message) -> str:
    """What is signed and sent: type, time, and data; the same bytes at every attempt."""
    data = {**message.facts, "event": message.event, "account": message.account or None, "wallet": message.wallet or None}
    happened = message.happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": message.topic, "timestamp": happened, "data": data}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
