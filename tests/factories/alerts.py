"""What people are told, as it would be sent."""

from __future__ import annotations

from datetime import datetime

from billing_site.outbox_readers import READERS
from notifications.alerts.message import message_of
from notifications.alerts.models import Delivery
from notifications.channels.email.render import Mail, render_mail
from wallets.outbox.deliver import deliver_news


def newest_mail(topic: str, *, at: datetime) -> tuple[str, Mail]:
    """To whom the newest mail on a topic goes, and what it says, once the news is read."""
    deliver_news(readers=READERS, at=at)
    delivery = Delivery.objects.filter(alert__topic=topic, channel="email").latest("id")
    return delivery.address, render_mail(message_of(delivery, at=at))
