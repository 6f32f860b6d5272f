"""Forget stored answers that are past their time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from wallets.idempotency.models import StoredAnswer

KEPT: Final = timedelta(days=30)


def purge_answers(*, at: datetime) -> int:
    """Delete answers older than KEPT at that time; returns how many. A key may then be used for another request."""
    return StoredAnswer.objects.filter(created_at__lt=at - KEPT).delete()[0]
