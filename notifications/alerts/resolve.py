"""What was told is no longer so: it leaves the banner."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from notifications.alerts.models import Alert


def resolve_alerts(*, wallet_id: int, topics: Collection[str], at: datetime) -> int:
    """Mark the open alerts of a wallet on these topics as over. Returns how many.

    For readers of news: each wallet's news is read in order, so what is open was told of something earlier.
    """
    return Alert.objects.filter(wallet_id=wallet_id, topic__in=topics, resolved_at__isnull=True).update(resolved_at=at)
