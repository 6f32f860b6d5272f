"""What waiting events are probably worth, so that the dearest gap in the prices is mended first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from django.db.models import Sum

from metering.ingest.accounts import AccountView
from metering.ingest.decode import UsageInput
from metering.ingest.models import DeadLetter
from metering.ingest.rating import Item, Unusable, rate_item
from metering.usage.models import HourlyUsage
from pricing.books.in_force import Catalogue, catalogue_in_force
from wallets.money import ZERO

RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Worth:
    """An estimate. by: the price in force now, or what an event of the type came to on average lately."""

    amount: Decimal
    currency: str
    by: Literal["price", "mean"]


def estimate_worth(letters: Sequence[DeadLetter], *, at: datetime) -> dict[int, Worth]:
    """What waiting events (with their event and account) would cost, by dead-letter row id; one that neither a price in force
    at `at` nor usage of the last 30 days tells anything about is left out. Three queries, however many letters."""
    catalogue = catalogue_in_force()
    catalogue.read_assignments(sorted({letter.account_id for letter in letters}))
    worth = {letter.pk: found for letter in letters if (found := _at_price(letter, catalogue, at)) is not None}
    missing = [letter for letter in letters if letter.pk not in worth]
    means = _means({letter.event.type for letter in missing}, since=at - RECENT) if missing else {}
    return worth | {letter.pk: means[letter.event.type] for letter in missing if letter.event.type in means}


def _at_price(letter: DeadLetter, catalogue: Catalogue, at: datetime) -> Worth | None:
    """At the price in force now, as if nothing had been used before."""
    event, account = letter.event, letter.account
    version = catalogue.version_in_force(account.pk, at)
    if version is None or event.type not in catalogue.meters:
        return None
    view = AccountView(account.pk, account.key, letter.bucket, account.time_zone, wallets={version.currency: 1})
    item = Item(0, 0, UsageInput(event.event_id, event.type, account.key), view, at)
    try:
        rate_item(item, event.properties, version, catalogue)
        amount = item.amount
        for line, value, _, own_price in item.pending:
            rated = line.rate(value, 0, 0, own_price) if line.rate is not None else None
            if rated is None:
                return None
            amount += rated[0]
    except (Unusable, OverflowError):
        return None
    return None if item.parked is not None else Worth(amount, item.currency, "price")


def _means(types: Collection[str], *, since: datetime) -> dict[str, Worth]:
    """By type, what an event came to on average since then, in the currency most of it was charged in."""
    rows = (
        HourlyUsage.objects.filter(meter__event_type__in=types, hour__gte=since)
        .values("meter__event_type", "meter_id", "currency")
        .annotate(amount_sum=Sum("amount"), events_sum=Sum("events"))
        .order_by("meter__event_type", "currency", "meter_id")
    )
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        if row["events_sum"] > 0:
            key = (row["meter__event_type"], row["currency"])
            sums[key] = sums.get(key, ZERO) + row["amount_sum"] / row["events_sum"]
    means: dict[str, Worth] = {}
    for (event_type, currency), mean in sums.items():
        if event_type not in means or mean > means[event_type].amount:
            means[event_type] = Worth(mean, currency, "mean")
    return means
