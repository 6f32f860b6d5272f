"""Forget holds some time after they have ended. One that was captured without an event stays, since only the hold explains that
charge; what was charged by an event is explained by the event. Credit that was kept back stays with its review."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from wallets.holds.models import KEPT_BY


def purge_holds(*, before: datetime, at_a_time: int = 5_000) -> int:
    """Delete holds that ended before then, `at_a_time` a statement; returns how many. Reads the whole table: for the night."""
    purged = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """DELETE FROM wallets_hold WHERE id = ANY(ARRAY(
                       SELECT id FROM wallets_hold
                       WHERE state <> 'OPEN' AND ended_at < %s AND NOT starts_with(captured_by, 'amount:') AND actor <> %s
                       LIMIT %s FOR UPDATE SKIP LOCKED))""",
                [before, KEPT_BY, at_a_time],
            )
            some = int(cursor.rowcount)
            purged += some
            if some < at_a_time:
                return purged
