"""Forget answers whose time is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from wallets.idempotency.models import StoredAnswer

KEPT_FOR: Final = timedelta(days=30)
MOST_AT_ONCE: Final = 5_000


def purge_answers(*, at: datetime) -> int:
    """Delete answers older than KEPT_FOR, MOST_AT_ONCE rows a statement; how many there were."""
    deleted = 0
    while True:
        old = StoredAnswer.objects.filter(created_at__lt=at - KEPT_FOR).order_by("created_at", "pk")[:MOST_AT_ONCE]
        ids = list(old.values_list("pk", flat=True))
        if not ids:
            return deleted
        deleted += StoredAnswer.objects.filter(pk__in=ids).delete()[0]
