"""The log of a webhook endpoint as the portal shows it: what was sent, how often it was tried, what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy

from notifications.alerts.models import Delivery
from notifications.alerts.resend import deliveries_of
from notifications.channels.webhook.models import WebhookEndpoint

MOST_SHOWN: Final = 50
STATES: Final[dict[str, tuple[str, Any]]] = {
    "WAITING": ("soon", gettext_lazy("waiting")),
    "SENDING": ("info", gettext_lazy("being sent")),
    "SENT": ("good", gettext_lazy("taken")),
    "FAILED": ("bad", gettext_lazy("not sent")),
    "GIVEN_UP": ("bad", gettext_lazy("given up")),
    "SUPPRESSED": ("", gettext_lazy("not sent")),
    "UNCERTAIN": ("soon", gettext_lazy("uncertain")),
}
"""State -> (kind of chip, word)."""


@dataclass(frozen=True, slots=True)
class TryShown:
    """One attempt. status: the HTTP status; None: no answer."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """One event on its way to the endpoint. chip, word: its state."""

    public_id: str
    event: str
    topic: str
    happened_at: datetime
    chip: str
    word: Any
    reason: str
    next_at: datetime | None
    status: int | None
    milliseconds: int | None
    tries: list[TryShown]
    may_resend: bool


def deliveries_shown(endpoint: WebhookEndpoint) -> list[DeliveryShown]:
    """The latest first. Two queries."""
    latest = deliveries_of(endpoint).prefetch_related("tries").order_by("-id")[:MOST_SHOWN]
    return [_shown(one) for one in latest]


def _shown(delivery: Delivery) -> DeliveryShown:
    tries = sorted(delivery.tries.all(), key=lambda one: -one.number)
    chip, word = STATES.get(delivery.state, ("", delivery.state.lower()))
    return DeliveryShown(
        public_id=delivery.public_id,
        event=delivery.alert.public_id,
        topic=delivery.alert.topic,
        happened_at=delivery.alert.raised_at,
        chip=chip,
        word=word,
        reason=delivery.reason,
        next_at=delivery.next_at,
        status=delivery.answer_status,
        milliseconds=tries[0].milliseconds if tries else None,
        tries=[TryShown(one.number, one.at, one.milliseconds, one.status, one.answer) for one in tries],
        may_resend=delivery.state not in {"WAITING", "SENDING"},
    )
