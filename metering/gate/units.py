"""Units of a meter, to be granted as slices: what so many cost from where counters and allowances stand, and how much of each
meter they are. Nothing is locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from metering.gate.estimate import Standing, UnknownType, line_amount, standing_of
from pricing.books.in_force import catalogue_in_force
from pricing.books.version_view import Line
from pricing.meters.measure import NotAQuantity
from pricing.meters.models import Meter
from pricing.rating.rate import is_cumulative, rate
from wallets.accounts.models import Account
from wallets.errors import InvalidInput
from wallets.holds.place import Units
from wallets.input import Input
from wallets.money import ZERO, to_scale

MOST_EVENTS: Final = 10_000
"""Units of a counting meter that can be granted, since each is an event of its own when it is reported."""

Quantities = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class QuantitiesOf:
    """How much of each meter so many units are. each: of one unit.  fixed: of all of them together."""

    each: Quantities
    fixed: Quantities

    def of(self, units: Decimal) -> Quantities:
        """Of so many units."""
        return {**self.fixed, **{meter: quantity * units for meter, quantity in self.each.items()}}


def units_of(
    *, account: Account, meter: Meter, units: Decimal, properties: Mapping[str, Any], at: datetime
) -> tuple[Units, str]:
    """Units of a meter with their price from where its counters and allowances stand, and its currency. Raises InvalidInput
    when no price fits."""
    check = Input()
    check.amount("units", units, above_zero=True)
    check.expect("units", meter.property or units == units.to_integral_value(), "a whole number")
    check.expect("units", meter.property or units <= MOST_EVENTS, f"at most {MOST_EVENTS}")
    check.refuse("The units cannot be granted.")
    sample = sample_of(meter, properties)
    currency, lines = _lines(account.pk, meter.event_type, sample, at)
    if not any(line.meter == meter.code for line in lines) or any(line.price is None for line in lines):
        raise InvalidInput("No price fits these units.", fields={"properties": "what a price in force fits"})
    standing = standing_of(account.pk, currency, lines, at)

    def price(wanted: Decimal) -> Decimal:
        if not meter.property:
            return _sum(_of_many(line, sample, wanted, standing) for line in lines)
        said = {**properties, meter.property: wanted}
        return _sum(_of_one(line, said, standing) for line in lines)

    price(units)  # refused here, if it cannot be priced
    return Units(meter.code, units, price, properties), currency


def quantities_of(account_id: int, meter: Meter, properties: Mapping[str, Any], at: datetime) -> QuantitiesOf:
    """How much of each meter units of this one are: on a meter of a property one event says them all, on one that counts each
    is an event."""
    sample = sample_of(meter, properties)
    measured = {line.meter: Decimal(line.measure(sample) or 0) for line in _lines(account_id, meter.event_type, sample, at)[1]}
    if not meter.property:
        return QuantitiesOf(measured, {})
    said = {**sample, meter.property: 2}
    lines = _lines(account_id, meter.event_type, said, at)[1]
    grows = {line.meter for line in lines if Decimal(line.measure(said) or 0) != measured.get(line.meter)}
    return QuantitiesOf(
        {code: value for code, value in measured.items() if code in grows},
        {code: value for code, value in measured.items() if code not in grows},
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    """What a falling price would give back is not counted on."""
    return to_scale(max(sum(amounts, ZERO), ZERO))


def _of_one(line: Line, properties: Mapping[str, Any], standing: Standing) -> Decimal:
    """What one event costs on one meter; its price is known to fit."""
    return line_amount(line, properties, standing) or ZERO


def _of_many(line: Line, properties: Mapping[str, Any], events: Decimal, standing: Standing) -> Decimal:
    """What so many equal events cost on one meter: the price of their sum, or of each where each is priced by itself."""
    assert line.price is not None, line.meter
    counter = standing.counters.get(line.counter_price)
    prior, prior_events = (counter.quantity, counter.events) if counter is not None else (ZERO, 0)
    each = Decimal(line.measure(properties) or 0)
    covered = min(each * events, standing.allowances.get(line.meter, ZERO))
    if not is_cumulative(line.price):
        return _of_one(line, properties, Standing(standing.counters, {})) * events
    return rate(line.price, each * events - covered, prior_quantity=prior, prior_events=prior_events)[0]


def sample_of(meter: Meter, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of an event of this meter."""
    return {**properties, meter.property: 1} if meter.property else dict(properties)


def _lines(account_id: int, event_type: str, properties: Mapping[str, Any], at: datetime) -> tuple[str, list[Line]]:
    """The currency and the lines of the price book that an event like this would be charged by."""
    catalogue = catalogue_in_force()
    if event_type not in catalogue.meters:
        raise UnknownType(f"No meter measures events of type {event_type[:120]}.", fields={"type": "a type with a meter"})
    catalogue.read_assignments([account_id])
    version = catalogue.version_in_force(account_id, at)
    if version is None:
        raise InvalidInput("No price book is in force for this account.", fields={"account": "one that has prices"})
    plan = version.plan(event_type, catalogue.meters)
    lines = version.lines(plan, plan.values(properties, at))
    try:
        return version.currency, [line for line in lines if line.measure(properties) is not None]
    except NotAQuantity as error:
        raise InvalidInput("The work cannot be measured.", fields={"properties": str(error)}) from None


def meters_of(account: Account, event_type: str, properties: Mapping[str, Any], at: datetime) -> tuple[str, ...]:
    """What such work may be charged for."""
    return tuple(line.meter for line in _lines(account.pk, event_type, properties, at)[1])


def meter_of(code: str) -> Meter:
    """A meter that is in use and adds up. Raises InvalidInput."""
    meter = Meter.objects.filter(code=code, archived_at__isnull=True).first()
    counts = meter is not None and meter.aggregation == Meter.Aggregation.COUNT
    sums = meter is not None and meter.aggregation == Meter.Aggregation.SUM and bool(meter.property)
    if meter is None or not (counts or sums):
        raise InvalidInput(
            "Units of this meter cannot be granted.", fields={"meter": "the code of a meter that counts or sums"}
        )
    return meter
