"""Note usage for the mirror, an hour at a time once it is over; what comes late or is taken back is noted as the difference."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from metering.mirror.models import MirroredHour
from metering.usage.models import HourlyUsage
from pricing.meters.models import Meter
from wallets.mirror.note import HourUsed, note_usage
from wallets.mirror.since import mirrored_since

# The provider takes no usage that is older; a day is left for telling it.
OLDEST: Final = timedelta(days=34)
# Events of an hour that are still on their way when it is over.
SETTLING: Final = timedelta(minutes=10)
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtext('mirror usage'))"

Hour = tuple[int, int, datetime]
"""Account row, meter row, hour."""


def note_hours(*, at: datetime) -> int:
    """Note what each finished hour used and was not noted yet; how many notes. Twice is once: one at a time looks."""
    begun = mirrored_since()
    if begun is None:
        return 0
    since = max(begun, at - OLDEST)
    until = (at - SETTLING).replace(minute=0, second=0, microsecond=0)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ALONE)
        used = whole_units(since=since, until=until)
        told = {
            (one.account_id, one.meter_id, one.hour): one
            for one in MirroredHour.objects.filter(hour__gte=since, hour__lt=until)
        }
        changed = [(hour, units) for hour, units in used.items() if units != (told[hour].quantity if hour in told else 0)]
        codes = dict(Meter.objects.filter(pk__in={meter for (_, meter, _), _ in changed}).values_list("pk", "code"))
        notes = []
        for (account, meter, hour), units in changed:
            before = told.get((account, meter, hour))
            number = before.times + 1 if before else 1
            value = units - (before.quantity if before else 0)
            notes.append(HourUsed(account, meter, codes[meter], hour, value, number))
        note_usage(notes, at=at)
        MirroredHour.objects.bulk_create(
            [
                MirroredHour(account_id=account, meter_id=meter, hour=hour, quantity=units, times=note.number)
                for ((account, meter, hour), units), note in zip(changed, notes, strict=True)
            ],
            update_conflicts=True,
            unique_fields=["account", "meter", "hour"],
            update_fields=["quantity", "times"],
        )
    return len(notes)


def whole_units(*, since: datetime, until: datetime) -> dict[Hour, int]:
    """What each account used of each meter in each hour, to whole units, half-even: the provider counts whole ones."""
    hours = HourlyUsage.objects.filter(hour__gte=since, hour__lt=until)
    sums = hours.values_list("account_id", "meter_id", "hour").annotate(used=Sum("quantity")).order_by()
    return {
        (account, meter, hour): int(Decimal(used).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
        for account, meter, hour, used in sums
    }
