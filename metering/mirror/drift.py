"""Compare the mirror with us: credit and usage, and keep what differs."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from metering.mirror.models import MirroredHour
from metering.mirror.usage import whole_units
from pricing.meters.models import Meter
from wallets.mirror.drift import NO_METER, USAGE, Drift, credit_drift, keep_drift, used_there
from wallets.mirror.since import mirrored_since
from wallets.payments.providers.billing import billing_provider

# Whole days (UTC) of usage that are compared. The provider counts what it was told a while later.
WINDOW: Final = timedelta(days=30)
SETTLING: Final = timedelta(hours=6)


def compare_mirror(*, at: datetime) -> list[Drift]:
    """Every difference between the provider's billing and what it should have of us; kept for the back office. Asks the
    network. Raises ProviderUnavailable: then what was found before stays."""
    if mirrored_since() is None:
        return []
    found = [*credit_drift(), *usage_drift(at=at)]
    keep_drift(found, at=at)
    return found


def usage_drift(*, at: datetime) -> list[Drift]:
    """The differences in usage of the last whole days."""
    begun = mirrored_since()
    assert begun is not None
    end = (at - SETTLING).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = max(end - WINDOW, (begun + timedelta(hours=1) - timedelta.resolution).replace(minute=0, second=0, microsecond=0))
    if start >= end:
        return []
    codes = dict(Meter.objects.values_list("pk", "code"))
    ours: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for (account, meter, _), units in whole_units(since=start, until=end).items():
        ours[account][codes[meter]] += units
    told = MirroredHour.objects.filter(hour__gte=start, hour__lt=end).values_list("account_id", "meter_id").distinct()
    for account, meter in told:
        ours[account][codes[meter]] += 0  # told before, and taken back since
    meters = billing_provider().meters()
    found = []
    for one, used in sorted(ours.items()):
        known = {code: meters[code] for code in sorted(used) if code in meters}
        theirs = used_there(account_id=one, meters=known, start=start, end=end)
        for code, counted in sorted(used.items()):
            there = theirs.get(code)
            if there is None:
                found.append(Drift(one, NO_METER, code, counted, Decimal(0), code))
            elif there != counted:
                found.append(Drift(one, USAGE, code, counted, there, code))
    return found
