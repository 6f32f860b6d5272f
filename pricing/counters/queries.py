"""Looking at counters without a lock: where they stood a moment ago."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pricing.counters.counters import hash_of
from pricing.counters.models import CounterMember, PriceCounter


def counters_of(*, wallet_id: int, bucket: int, price_ids: Collection[int], period_start: datetime) -> dict[int, PriceCounter]:
    """A wallet's counters of a period, by the row id of the price; those that do not exist yet are left out."""
    found = PriceCounter.objects.filter(bucket=bucket, wallet_id=wallet_id, price_id__in=price_ids, period_start=period_start)
    return {counter.price_id: counter for counter in found}


def was_seen(*, counter: PriceCounter, value: str) -> bool:
    """Did a `unique` meter see this value in the counter's period?"""
    members = CounterMember.objects.filter(bucket=counter.bucket, counter=counter, value=hash_of(value), events__gt=0)
    return members.exists()
