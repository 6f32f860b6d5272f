"""Usage cut by time and by whatever is asked: from the hourly roll-ups where they carry it, from the events where not. Both
ways add up to the same. Everything here starts from one account (I12) and reads its bucket only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, DateTimeField, Exists, F, Func, Max, Min, OuterRef, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Trunc

from metering.usage.models import Charge, HourlyUsage, UsageEvent
from metering.usage.queries import Granularity
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.errors import Refusal
from wallets.money import ZERO

MOST_READ: Final = 200_000  # charges that are read one by one for what no roll-up carries
BY_METER: Final = "meter"


class TooMuchToRead(Refusal):
    """What is asked for stands in no roll-up, and there are too many events to read one by one."""

    code = "too_much_to_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which usage: of an account, charged in a currency, from `start` (a whole hour) until before `end`; of one meter (its
    code), or all. by: what it is told apart by: `meter`, or the name of a property of the events."""

    account: Account
    currency: str
    start: datetime
    end: datetime
    meter: str = ""
    by: str = BY_METER


@dataclass(frozen=True, slots=True)
class Slice:
    """Usage of one period and one value (None: events without it). quantity: None where meters are summed that count
    different things."""

    period: datetime
    value: str | None
    charges: int
    quantity: Decimal | None
    amount: Decimal


def explore_usage(cut: Cut, *, granularity: Granularity, zone: tzinfo) -> list[Slice]:
    """The usage by period (in the zone) and value, voids taken off; in order of period and value. Raises TooMuchToRead."""
    rows = _hours(cut)
    if cut.by != BY_METER and not _carried(rows, cut.by):
        found = rows.aggregate(charges=Sum("events"))["charges"] or 0
        if found > MOST_READ:
            raise TooMuchToRead(f"{found} charges would have to be read one by one; choose a shorter time.")
        return _slices(_charges(cut), "event__time", _property(cut.by, "event__properties"), cut, granularity, zone)
    value = F("meter__code") if cut.by == BY_METER else _property(cut.by, "dimensions")
    return _slices(rows, "hour", value, cut, granularity, zone)


def properties_to_cut_by(cut: Cut) -> list[str]:
    """The names that the account's usage can be told apart by: dimensions of its meters, and properties of its latest event."""
    names: set[str] = set()
    for dimensions in _hours(cut).values_list("meter__dimensions", flat=True).distinct():
        names |= set(dimensions)
    latest = events_of_cut(cut).order_by("-time", "-id").values_list("properties", flat=True).first()
    names |= {name for name, value in (latest or {}).items() if isinstance(value, str)}
    return sorted(names)


def meters_of_account(account: Account) -> list[tuple[str, str]]:
    """(code, name) of the meters that ever counted something of the account."""
    counted = HourlyUsage.objects.filter(bucket=account.bucket, account=account, meter=OuterRef("pk"))
    meters = Meter.objects.filter(Exists(counted)).order_by("code")
    return [(code, name or code) for code, name in meters.values_list("code", "name")]


def events_of_cut(cut: Cut, *, value: str | None = None, any_value: bool = True) -> QuerySet[UsageEvent]:
    """The events behind the usage; any_value=False: those whose property `cut.by` is `value` (None: that have none), or, by
    meter, those that the meter `value` counted."""
    events = UsageEvent.objects.filter(
        bucket=cut.account.bucket, account=cut.account, time__gte=cut.start, time__lt=cut.end
    )  # fmt: skip
    of_event = Charge.objects.filter(bucket=cut.account.bucket, event_id=OuterRef("pk"), wallet__currency=cut.currency)
    if cut.meter:
        of_event = of_event.filter(meter__code=cut.meter)
    if not any_value and cut.by == BY_METER:
        of_event = of_event.filter(meter__code=value)
    elif not any_value:
        events = events.annotate(cut_by=_property(cut.by, "properties")).filter(
            Q(cut_by__isnull=True) if value is None else Q(cut_by=value)
        )
    return events.filter(Exists(of_event))


def charge_rows(cut: Cut) -> Iterator[tuple[Any, ...]]:
    """(time, event id, type, meter, value, quantity, amount) of each charge, oldest first, read as they are taken: a million
    need no more memory than one."""
    value = F("meter__code") if cut.by == BY_METER else _property(cut.by, "event__properties")
    rows = _charges(cut).annotate(cut_by=value).order_by("event__time", "event_id", "line")
    names = ("event__time", "event__event_id", "event__type", "meter__code", "cut_by", "quantity", "amount")
    return rows.values_list(*names).iterator(chunk_size=2_000)


def _slices(rows: QuerySet[Any], time: str, value: Any, cut: Cut, granularity: Granularity, zone: tzinfo) -> list[Slice]:
    charges = Sum("events") if time == "hour" else Count("line")
    found = (
        rows.annotate(period=Trunc(time, granularity, output_field=DateTimeField(), tzinfo=zone), value=value)
        .values("period", "value")
        .annotate(of_charges=charges, of_quantity=Sum("quantity"), of_amount=Sum("amount"))
        .order_by("period", "value")
    )
    one_meter = bool(cut.meter) or cut.by == BY_METER
    return [
        Slice(
            row["period"], row["value"], row["of_charges"], row["of_quantity"] if one_meter else None, row["of_amount"] or ZERO
        )
        for row in found
    ]


def _hours(cut: Cut) -> QuerySet[HourlyUsage]:
    rows = HourlyUsage.objects.filter(
        bucket=cut.account.bucket, account=cut.account, hour__gte=cut.start, hour__lt=cut.end, currency=cut.currency
    )  # fmt: skip
    return rows.filter(meter__code=cut.meter) if cut.meter else rows


def _charges(cut: Cut) -> QuerySet[Charge]:
    first, last = _event_range(cut)
    rows = Charge.objects.filter(
        bucket=cut.account.bucket,
        event_id__gte=first,
        event_id__lte=last,
        event__bucket=cut.account.bucket,
        event__account=cut.account,
        event__time__gte=cut.start,
        event__time__lt=cut.end,
        wallet__currency=cut.currency,
    )
    return rows.filter(meter__code=cut.meter) if cut.meter else rows


def _event_range(cut: Cut) -> tuple[int, int]:
    """Between which row ids the events of the time stand: charges have no index by time, but one by their event; without this
    PostgreSQL reads all there are. (+ 0: else it would look for the least by walking the ids.)"""
    events = UsageEvent.objects.filter(
        bucket=cut.account.bucket, account=cut.account, time__gte=cut.start, time__lt=cut.end
    )  # fmt: skip
    found = events.aggregate(first=Min(F("id") + 0), last=Max(F("id") + 0))
    return found["first"] or 0, found["last"] or 0


def _carried(rows: QuerySet[HourlyUsage], name: str) -> bool:
    """Whether every meter of the roll-ups has the dimension."""
    return not rows.exclude(meter__dimensions__contains=[name]).exists()


def _property(name: str, of: str) -> Func:
    """A value as text. (Django's own look-up takes a name of digits for a place in a list.)"""
    return Func(F(of), Value(name), function="jsonb_extract_path_text", output_field=TextField())
