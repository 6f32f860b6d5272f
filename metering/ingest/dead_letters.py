"""Events that could not be rated: kept with their reason, replayed by one action after the fix."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from metering.ingest.models import DeadLetter
from metering.ingest.rating import Item


def park(items: Sequence[Item], *, bucket: int, at: datetime) -> None:
    """Keep events (already stored) that wait for a price."""
    DeadLetter.objects.bulk_create(
        [
            DeadLetter(
                event_id=item.row_id,
                bucket=bucket,
                account_id=item.account.id,
                reason=item.parked[0],
                detail=item.parked[1],
                parked_at=at,
            )
            for item in items
            if item.parked is not None
        ]
    )
