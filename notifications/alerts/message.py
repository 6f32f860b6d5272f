"""A delivery's message: everything its channel needs, read once."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from notifications.alerts.models import Delivery
from notifications.alerts.unsubscribe import unsubscribe_token
from notifications.channels.contract import Message
from notifications.channels.webhook.endpoints import signing_secrets


def message_of(delivery: Delivery, *, at: datetime) -> Message:
    """The message of a delivery that was read with its alert, account, wallet, recipient and endpoint."""
    alert, recipient, endpoint = delivery.alert, delivery.recipient, delivery.endpoint
    account = alert.account
    may_decline = recipient is not None and not alert.mandatory
    return Message(
        delivery=delivery.public_id,
        event=alert.public_id,
        topic=alert.topic,
        happened_at=alert.raised_at,
        address=endpoint.url if endpoint is not None else delivery.address,
        account=account.key if account else "",
        account_name=account.name if account else "",
        wallet=alert.wallet.public_id if alert.wallet else "",
        severity=alert.severity,
        mandatory=alert.mandatory,
        facts={name: str(value) for name, value in alert.facts.items()},
        language=recipient.language if recipient else "en",
        time_zone=recipient.time_zone if recipient else account.time_zone if account else "UTC",
        secrets=tuple(signing_secrets(endpoint, at=at)) if endpoint is not None else (),
        unsubscribe=f"{settings.SITE_URL}/unsubscribe/{unsubscribe_token(recipient, alert.topic)}" if may_decline else "",
    )
