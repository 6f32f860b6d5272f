"""Note usage for the mirror: handed down by whoever counts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.mirror.models import MirrorItem


@dataclass(frozen=True, slots=True)
class HourUsed:
    """What is to be added to an account's usage of a meter in an hour. number: how often the hour was told before, plus one."""

    account_id: int
    meter_id: int
    meter: str
    hour: datetime
    value: int
    number: int


def note_usage(hours: Sequence[HourUsed], *, at: datetime) -> None:
    """Note an item for each. Twice is once."""
    MirrorItem.objects.bulk_create(
        [
            MirrorItem(
                kind=MirrorItem.Kind.USAGE,
                key=f"usage:{one.account_id}:{one.meter_id}:{one.hour:%Y%m%d%H}:{one.number}",
                account_id=one.account_id,
                amount=Decimal(one.value),
                unit=one.meter,
                happened_at=one.hour,
                next_try_at=at,
                created_at=at,
            )
            for one in hours
        ],
        ignore_conflicts=True,
    )
