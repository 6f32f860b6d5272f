"""What a charge of a run found its counter at (`models.CounterRun`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection

from metering.usage.models import Charge
from wallets.money import ZERO

BELOW: Final = """LEFT JOIN LATERAL (
    SELECT event_id, line FROM (
        SELECT 1 AS nearness, c.previous_event AS event_id, c.previous_line AS line WHERE c.counter_place IS NOT NULL
        UNION ALL
        (SELECT 2, b.event_id, b.line FROM metering_counterrun r JOIN metering_charge b
             ON b.bucket = c.bucket AND b.event_id >= r.first_event AND b.event_id < c.event_id
             AND b.counter_id = c.counter_id AND b.entry_id = c.entry_id AND b.counter_place IS NULL
         WHERE c.counter_place IS NULL AND r.bucket = c.bucket AND r.counter_id = c.counter_id AND r.entry_id = c.entry_id
         ORDER BY b.event_id DESC LIMIT 1)
        UNION ALL
        SELECT 3, r.drew_event, r.drew_line FROM metering_counterrun r
        WHERE c.counter_place IS NULL AND r.bucket = c.bucket AND r.counter_id = c.counter_id AND r.entry_id = c.entry_id
    ) one ORDER BY nearness LIMIT 1
) below ON true"""
"""Of a charge `c` of a counter: the charge that drew before it (`below.event_id`, `below.line`), its own or by its run."""


class Prior(NamedTuple):
    """What a charge found its counter at: what was priced before it, and how many events had been seen."""

    quantity: Decimal
    events: int


def prior_of(charge: Charge) -> Prior | None:
    """What the charge found its counter at; None when it has no counter."""
    if charge.counter_id is None:
        return None
    if charge.prior_quantity is not None:
        return Prior(charge.prior_quantity, charge.prior_events or 0)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.prior_quantity, r.prior_events, coalesce(sum(b.quantity), 0), count(b.event_id)
               FROM metering_counterrun r LEFT JOIN metering_charge b
                   ON b.bucket = r.bucket AND b.event_id >= r.first_event AND b.event_id < %s
                   AND b.counter_id = r.counter_id AND b.entry_id = r.entry_id AND b.counter_place IS NULL
               WHERE r.bucket = %s AND r.counter_id = %s AND r.entry_id = %s
               GROUP BY r.prior_quantity, r.prior_events""",
            [charge.event_id, charge.bucket, charge.counter_id, charge.entry_id],
        )
        quantity, events, of_run, before = cursor.fetchone()
    return Prior(quantity + (of_run or ZERO), events + before)
