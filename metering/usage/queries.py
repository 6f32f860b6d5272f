"""What was used, for pages and for `GET /usage`: sums of the hourly roll-ups, and the latest events with their charges.

A period starts at an hour of UTC: a day in a zone that is half an hour off takes the hour that starts within it.
Everything here starts from one account (I12) and reads its bucket only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, Literal

from django.db.models import DateTimeField, F, Func, QuerySet, Sum, TextField, Value
from django.db.models.functions import Trunc, TruncDate

from metering.usage.models import Charge, EventVoid, HourlyUsage, UsageEvent
from wallets.accounts.models import Account
from wallets.money import ZERO

Granularity = Literal["hour", "day", "month"]
# How many of an account's latest events are looked through for those of one wallet, step by step.
SEARCHED: Final = (60, 600, 2_000)
GRANULARITIES: Final[tuple[Granularity, ...]] = ("hour", "day", "month")


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Usage of one meter in one period (from `period`, in the zone asked for), by the dimensions asked for."""

    period: datetime
    meter: str
    currency: str
    dimensions: dict[str, str | None]
    events: int
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What a day cost."""

    day: date
    amount: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class MeterSpend:
    """What a meter cost in a span of time, and its share of the whole (0 to 1)."""

    meter: str
    name: str
    unit: str
    quantity: Decimal
    amount: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class MeterQuantity:
    """What one meter counted in an event."""

    code: str
    name: str
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class EventSpend:
    """An event with what it cost. meters: what was counted, zeros left out; matched: the values by which its price was
    chosen (a model); voided: taken back since."""

    pk: int
    event_id: str
    type: str
    time: datetime
    meters: tuple[MeterQuantity, ...]
    matched: tuple[str, ...]
    amount: Decimal
    currency: str
    voided: bool


def usage_by(
    *,
    account_id: int,
    start: datetime,
    end: datetime,
    granularity: Granularity,
    meter: str | None = None,
    group_by: Sequence[str] = (),
    zone: tzinfo = UTC,
) -> list[UsageRow]:
    """Usage of an account from `start` until before `end`, by period, meter, currency and the dimensions named.

    meter: its code; None for all. A dimension a meter does not have is None. Amounts are exact, voids taken off.
    Rows come in order of period, meter, currency and dimensions.
    """
    names = {f"dimension_{index}": name for index, name in enumerate(group_by)}
    rows = _hours(account_id, start, end)
    if meter is not None:
        rows = rows.filter(meter__code=meter)
    found = (
        rows.annotate(
            period=Trunc("hour", granularity, output_field=DateTimeField(), tzinfo=zone),
            code=F("meter__code"),
            **{alias: _dimension(name) for alias, name in names.items()},
        )
        .values("period", "code", "currency", *names)
        .annotate(events_sum=Sum("events"), quantity_sum=Sum("quantity"), amount_sum=Sum("amount"))
        .order_by("period", "code", "currency", *names)
    )
    return [
        UsageRow(
            period=row["period"],
            meter=row["code"],
            currency=row["currency"],
            dimensions={name: row[alias] for alias, name in names.items()},
            events=row["events_sum"],
            quantity=row["quantity_sum"],
            amount=row["amount_sum"],
        )
        for row in found
    ]


def _dimension(name: str) -> Func:
    """A dimension's value. (Django's own look-up takes a name of digits for a place in a list.)"""
    return Func(F("dimensions"), Value(name), function="jsonb_extract_path_text", output_field=TextField())


def spend_by_day(*, account_id: int, currency: str, last_day: date, days: int, zone: tzinfo) -> list[DaySpend]:
    """What each of the `days` days up to and including `last_day` cost, oldest first; days without usage too."""
    first_day = last_day - timedelta(days=days - 1)
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=zone)
    end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=zone) + timedelta(days=1)
    found = (
        _hours(account_id, start, end)
        .filter(currency=currency)
        .annotate(day=TruncDate("hour", tzinfo=zone))
        .values("day")
        .annotate(amount_sum=Sum("amount"), events_sum=Sum("events"))
        .order_by("day")
    )
    sums = {row["day"]: (row["amount_sum"], row["events_sum"]) for row in found}
    every_day = (first_day + timedelta(days=number) for number in range(days))
    return [DaySpend(day, *sums.get(day, (ZERO, 0))) for day in every_day]


def spend_by_meter(*, account_id: int, currency: str, start: datetime, end: datetime) -> list[MeterSpend]:
    """What each meter cost from `start` until before `end`, most expensive first; meters that cost nothing last."""
    found = list(
        _hours(account_id, start, end)
        .filter(currency=currency)
        .values("meter__code", "meter__name", "meter__unit")
        .annotate(quantity_sum=Sum("quantity"), amount_sum=Sum("amount"))
        .order_by("-amount_sum", "meter__code")
    )
    total = sum((row["amount_sum"] for row in found), ZERO)
    return [
        MeterSpend(
            meter=row["meter__code"],
            name=row["meter__name"] or row["meter__code"],
            unit=row["meter__unit"],
            quantity=row["quantity_sum"],
            amount=row["amount_sum"],
            share=row["amount_sum"] / total if total > 0 else ZERO,
        )
        for row in found
    ]


def latest_charges(*, account_id: int, wallet_id: int, since: datetime, limit: int) -> list[EventSpend]:
    """The latest events (by their own time, not before `since`) that were charged to a wallet of the account.

    Looked for among the account's latest events, a few at first, at most the sum of SEARCHED: a join would have
    PostgreSQL read all of them when one wallet has few.
    """
    latest = UsageEvent.objects.filter(account_id=account_id, time__gte=since).order_by("-time", "-id")
    of_wallet = Charge.objects.filter(wallet_id=wallet_id, reverses__isnull=True)
    found: list[UsageEvent] = []
    start = 0
    for count in SEARCHED:
        events = list(latest[start : start + count])
        charged = set(of_wallet.filter(event_id__in=[event.pk for event in events]).values_list("event_id", flat=True))
        found += [event for event in events if event.pk in charged]
        start += count
        if len(found) >= limit or len(events) < count:
            break
    return spend_of_events(found[:limit])


def spend_of_events(events: Sequence[UsageEvent]) -> list[EventSpend]:
    """The events with what they cost, in the order given. Two queries, however many events."""
    ids = [event.pk for event in events]
    charges: dict[int, list[Charge]] = defaultdict(list)
    rows = Charge.objects.filter(event_id__in=ids).select_related("meter", "wallet", "price").order_by("event_id", "line")
    for charge in rows:
        charges[charge.event_id].append(charge)
    voided = set(EventVoid.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
    return [_spend(event, charges[event.pk], voided=event.pk in voided) for event in events]


def _spend(event: UsageEvent, charges: Sequence[Charge], *, voided: bool) -> EventSpend:
    # Of a meter that was re-rated, the last charge says what stands.
    first = list({charge.meter_id: charge for charge in charges if charge.reverses is None}.values())
    return EventSpend(
        pk=event.pk,
        event_id=event.event_id,
        type=event.type,
        time=event.time,
        meters=tuple(
            MeterQuantity(charge.meter.code, charge.meter.name or charge.meter.code, charge.meter.unit, charge.quantity)
            for charge in first
            if charge.quantity
        ),
        matched=tuple(dict.fromkeys(str(value) for charge in first for value in charge.price.match.values())),
        amount=sum((charge.amount for charge in charges), ZERO),
        currency=charges[0].wallet.currency if charges else "",
        voided=voided,
    )


def _hours(account_id: int, start: datetime, end: datetime) -> QuerySet[HourlyUsage, Any]:
    """Roll-ups of an account, in its bucket."""
    bucket = Account.objects.filter(pk=account_id).values("bucket")[:1]
    return HourlyUsage.objects.filter(bucket=bucket, account_id=account_id, hour__gte=start, hour__lt=end)


@dataclass(frozen=True, slots=True)
class NamedEvent:
    """An event found by its id."""

    pk: int
    event_id: str
    account: str


def events_named(*, event_id: str, limit: int) -> list[NamedEvent]:
    """Events with this id, of whichever account: one probe an account into event_once_per_account."""
    rows = UsageEvent.objects.filter(account__bucket=F("bucket"), event_id=event_id).order_by("id")
    return [NamedEvent(*row) for row in rows.values_list("pk", "event_id", "account__key")[:limit]]
