"""What the back office asks about deliveries."""

from __future__ import annotations

from django.db.models import QuerySet

from notifications.alerts.models import Delivery


def uncertain_mails() -> QuerySet[Delivery]:
    """Mails of which nobody knows whether they arrived; a person decides."""
    return Delivery.objects.filter(state=Delivery.State.UNCERTAIN)
