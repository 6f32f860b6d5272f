"""Events as they were sent, for lists."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet

from metering.usage.models import UsageEvent


def events_of(*, account_id: int, start: datetime | None = None, end: datetime | None = None) -> QuerySet[UsageEvent]:
    """Events of an account by the time of the usage, from `start` until before `end` (None: no limit)."""
    events = UsageEvent.objects.filter(account_id=account_id, account__bucket=F("bucket"))
    if start is not None:
        events = events.filter(time__gte=start)
    if end is not None:
        events = events.filter(time__lt=end)
    return events
