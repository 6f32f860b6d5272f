"""Received = rated + parked + duplicate + rejected, always: counted in the transaction that says so to the sender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from metering.ingest.rating import Item

SLOTS: Final = 64  # rows a day and bucket: connections that write at once seldom meet in one

_ADD: Final = f"""
    INSERT INTO metering_ingesttally AS t (bucket, day, slot, received, rated, parked, duplicates, rejected)
    VALUES (%s, %s, pg_backend_pid() %% {SLOTS}, %s, %s, %s, %s, %s)
    ON CONFLICT (bucket, day, slot) DO UPDATE
    SET received = t.received + EXCLUDED.received, rated = t.rated + EXCLUDED.rated, parked = t.parked + EXCLUDED.parked,
        duplicates = t.duplicates + EXCLUDED.duplicates, rejected = t.rejected + EXCLUDED.rejected
"""  # noqa: S608 - of a constant


def tally_items(cursor: Any, items: Sequence[Item], *, bucket: int, at: datetime) -> None:
    """Count what became of items, in the transaction that commits them; the last thing it does, for the row is shared."""
    rated = parked = duplicates = rejected = 0
    for item in items:
        if item.refused is not None:
            rejected += 1
        elif item.duplicate:
            duplicates += 1
        elif item.parked is not None:
            parked += 1
        else:
            rated += 1
        item.tallied = True
    cursor.execute(_ADD, [bucket, at.date(), len(items), rated, parked, duplicates, rejected])


def tally_rejected(count: int, *, at: datetime) -> None:
    """Count events that were refused before they came to an account, or could not be read; they stand in bucket 0."""
    if count:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [0, at.date(), count, 0, 0, 0, count])
