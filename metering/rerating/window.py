"""Which events a re-rating is about: charged at a price of the wrong version, for usage of a window, and not taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from metering.usage.models import HourlyUsage
from pricing.books.models import PriceVersion
from pricing.meters.models import Meter
from wallets.accounts.models import Account

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What is to be corrected. account, meter: None for all; start: inclusive, end: exclusive, of the events' own time."""

    wrong: PriceVersion
    right: PriceVersion
    start: datetime
    end: datetime
    account: Account | None = None
    meter: Meter | None = None


def accounts_in(window: Window) -> list[tuple[int, str, int]]:
    """Accounts with usage in the window, by (row id, key, bucket), in order of bucket and row id."""
    hours = HourlyUsage.objects.filter(hour__gt=window.start - HOUR, hour__lt=window.end)
    if window.account is not None:
        hours = hours.filter(bucket=window.account.bucket, account=window.account)
    if window.meter is not None:
        hours = hours.filter(meter=window.meter)
    found = hours.order_by("account__bucket", "account_id").values_list("account_id", "account__key", "account__bucket")
    return list(found.distinct())


def events_to_correct(
    window: Window, *, account_id: int, bucket: int, after: int, most: int, run_id: int | None = None
) -> Sequence[int]:
    """Row ids (above `after`, ascending, at most `most`) of an account's events with a charge to correct; those that the run
    has looked at already left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT e.id FROM metering_usageevent e
               JOIN metering_charge c ON c.bucket = e.bucket AND c.event_id = e.id AND c.reverses IS NULL
               JOIN pricing_price p ON p.id = c.price_id AND p.version_id = %(wrong)s
               WHERE e.bucket = %(bucket)s AND e.account_id = %(account)s AND e.time >= %(start)s AND e.time < %(end)s
                 AND e.id > %(after)s AND (%(meter)s::bigint IS NULL OR c.meter_id = %(meter)s)
                 AND NOT EXISTS (
                     SELECT 1 FROM metering_charge r
                     WHERE r.bucket = c.bucket AND r.event_id = c.event_id AND r.reverses = c.line
                 )
                 AND NOT EXISTS (SELECT 1 FROM metering_rerateitem i WHERE i.run_id = %(run)s AND i.event_id = e.id)
               ORDER BY e.id LIMIT %(most)s""",
            {
                "wrong": window.wrong.pk,
                "bucket": bucket,
                "account": account_id,
                "start": window.start,
                "end": window.end,
                "after": after,
                "meter": window.meter.pk if window.meter is not None else None,
                "run": run_id,
                "most": most,
            },
        )
        return [row[0] for row in cursor.fetchall()]
