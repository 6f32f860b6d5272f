"""One event to one endpoint, as Standard Webhooks has it: `webhook-id` is the delivery's id and the same at every attempt,
so that a receiver that stores ids has each event once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from notifications.channels.contract import Message, Sent
from notifications.channels.safe_request import post
from notifications.channels.webhook.sign import signed_headers


def send_webhook(message: Message, *, at: datetime, handing_over: Callable[[], None]) -> Sent:  # noqa: ARG001 - at least once
    """POST it, signed."""
    body = webhook_body(message)
    signed = signed_headers(message_id=message.delivery, body=body, signing=message.secrets, at=at)
    return post(message.address, body=body.encode(), headers={"Content-Type": "application/json", **signed})


def webhook_body(message: Message) -> str:
    """What is signed and sent: type, time, and data; the same bytes at every attempt."""
    data = {**message.facts, "event": message.event, "account": message.account or None, "wallet": message.wallet or None}
    happened = message.happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": message.topic, "timestamp": happened, "data": data}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
