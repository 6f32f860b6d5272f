"""Holds for work that has a price: estimated before it, charged by its event after it, in the same transaction in which the
hold ends. The holds themselves: `wallets/holds`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from django.db import transaction

from metering.gate.estimate import Standing, UnknownType, line_amount, price_estimate, standing_of
from metering.gate.quotas import refuse_spent_quota
from metering.ingest.batch import ingest_batch, ingest_max_age
from metering.ingest.decode import MAX_ID, UsageInput, usage_input
from pricing.books.in_force import catalogue_in_force
from pricing.books.version_view import Line
from pricing.meters.measure import NotAQuantity
from pricing.meters.models import Meter
from pricing.rating.rate import is_cumulative, rate
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.balances.queries import charged_wallet
from wallets.errors import InvalidInput
from wallets.holds.capture import Captured, capture_charged, check_above
from wallets.holds.models import Hold
from wallets.holds.place import Units, Work, place_hold, place_units
from wallets.holds.refusals import HoldRefused
from wallets.holds.renew import Renewed, refuse_other_slice, renew_charged
from wallets.input import Input
from wallets.money import ZERO, to_scale

MOST_EVENTS: Final = 10_000
"""Units of a counting meter that can be granted, since each is an event of its own when it is reported."""

Outcome = Literal["charged", "duplicate", "unrated"]


@dataclass(frozen=True, slots=True)
class EventCaptured:
    """A capture, and what became of its event. duplicate: it had been charged before, so the hold was charged nothing;
    unrated: it waits for a price and is charged, without the hold, when it has one."""

    captured: Captured
    outcome: Outcome


def hold_amount(*, account: Account, amount: Decimal, currency: str | None, ttl_seconds: int, at: datetime, work: Work) -> Hold:
    """Hold an amount in `currency` (None: the account's main one). Raises as `place_hold`."""
    wallet = _wallet(account, currency, needed=amount)
    return place_hold(wallet_id=wallet.pk, amount=amount, ttl_seconds=ttl_seconds, at=at, work=work)


def hold_estimate(
    *, account: Account, event_type: str, properties: Mapping[str, Any], ttl_seconds: int, at: datetime, work: Work
) -> Hold:
    """Hold what an event of this type and these properties would cost now. Raises UnknownType, InvalidInput (no price fits),
    and as `place_hold`."""
    estimate = price_estimate(account_id=account.pk, event_type=event_type, properties=properties, at=at)
    if estimate.amount is None:
        raise InvalidInput("No price fits this work.", fields={"properties": "what a price in force fits"})
    refuse_spent_quota(account_id=account.pk, meters=estimate.meters, at=at)
    wallet = _wallet(account, estimate.currency, needed=estimate.amount)
    work = Work(_meters(account, event_type, properties, at), work.subject, work.actor)
    return place_hold(wallet_id=wallet.pk, amount=to_scale(estimate.amount), ttl_seconds=ttl_seconds, at=at, work=work)


def hold_units(
    *,
    account: Account,
    meter_code: str,
    units: Decimal,
    properties: Mapping[str, Any],
    ttl_seconds: int,
    at: datetime,
    work: Work,
) -> Hold:
    """Grant up to `units` of a meter as the first slice of a hold. properties: what the events will say besides, as far as
    prices depend on it. Raises InvalidInput (no such meter, no price fits), and as `place_units`."""
    meter = _meter(meter_code)
    refuse_spent_quota(account_id=account.pk, meters=[meter_code], at=at)
    wanted, currency = units_of(account=account, meter=meter, units=units, properties=properties, at=at)
    wallet = _wallet(account, currency, needed=None)
    work = Work(_meters(account, meter.event_type, _sample(meter, properties), at), work.subject, work.actor)
    return place_units(wallet_id=wallet.pk, units=wanted, ttl_seconds=ttl_seconds, at=at, work=work)


def capture_by_event(*, hold: Hold, event: UsageInput, at: datetime, above: str | None = None) -> EventCaptured:
    """Charge an event as ingest would, once per id, and end the hold by it: both or neither.

    Raises InvalidInput (the event is refused, or is charged to another wallet), and as `capture_amount`.
    """
    check = Input()
    check_above(check, above)
    check.refuse("The hold cannot be captured like this.")
    with transaction.atomic():
        cost, outcome = _charge([event], hold, at=at)
        by = f"event:{event.id}"
        return EventCaptured(capture_charged(hold_public_id=hold.public_id, cost=cost, by=by, at=at, above=above), outcome)


def renew_units(
    *,
    hold: Hold,
    used: Decimal,
    at: datetime,
    units: Decimal | None = None,
    ttl_seconds: int | None = None,
    number: int | None = None,
    above: str | None = None,
) -> Renewed:
    """Charge what was used of the present slice of a hold of units, and grant the next.

    used: units, zero or more. units: wanted of the next slice; None: as many as now; zero: none, the hold ends. number: the
    slice this reports (None: the present one); another one is refused, so that a report sent twice charges once.
    Raises as `renew_charged`.
    """
    refuse_other_slice(hold, number)
    meter = _meter(hold.meter)
    check = Input()
    check.amount("used_units", used)
    check.expect("used_units", meter.property or used == used.to_integral_value(), "a whole number")
    check.expect("used_units", meter.property or used <= MOST_EVENTS, f"at most {MOST_EVENTS}")
    if units is not None:
        check.amount("units", units)
    check_above(check, above)
    check.refuse("The hold cannot be renewed like this.")
    account = hold.wallet.account
    wanted = hold.granted if units is None else units
    with transaction.atomic():
        cost, _ = _charge(_events(hold, meter, used), hold, at=at)
        following: Units | None = None
        if wanted:
            following, _ = units_of(account=account, meter=meter, units=wanted, properties=hold.properties, at=at)
        return renew_charged(
            hold_public_id=hold.public_id, cost=cost, used=used, at=at, wanted=following, ttl_seconds=ttl_seconds, above=above
        )


def event_of(*, hold: Hold, values: Mapping[str, Any]) -> UsageInput:
    """The event of a capture, as it was sent: `id`, `type`, `time`, `properties`. Raises InvalidInput."""
    check = Input()
    check.text("event.id", values["id"], longest=MAX_ID, required=True)
    check.text("event.type", values["type"], longest=MAX_ID, required=True)
    key = hold.wallet.account.key
    check.expect("event.account", values.get("account", key) == key, "the account of the hold, or nothing")
    check.refuse("The event is not acceptable.")
    try:
        return usage_input(
            event_id=values["id"],
            event_type=values["type"],
            account=key,
            time=values.get("time"),
            properties=values.get("properties") or {},
        )
    except ValueError as error:
        raise InvalidInput("The event is not acceptable.", fields={"event.properties": str(error)}) from None


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
    sample = _sample(meter, properties)
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


def _sample(meter: Meter, properties: Mapping[str, Any]) -> dict[str, Any]:
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


def _meters(account: Account, event_type: str, properties: Mapping[str, Any], at: datetime) -> tuple[str, ...]:
    """What such work may be charged for."""
    return tuple(line.meter for line in _lines(account.pk, event_type, properties, at)[1])


def _meter(code: str) -> Meter:
    """A meter that is in use and adds up. Raises InvalidInput."""
    meter = Meter.objects.filter(code=code, archived_at__isnull=True).first()
    counts = meter is not None and meter.aggregation == Meter.Aggregation.COUNT
    sums = meter is not None and meter.aggregation == Meter.Aggregation.SUM and bool(meter.property)
    if meter is None or not (counts or sums):
        raise InvalidInput(
            "Units of this meter cannot be granted.", fields={"meter": "the code of a meter that counts or sums"}
        )
    return meter


def _events(hold: Hold, meter: Meter, used: Decimal) -> list[UsageInput]:
    """The usage of the present slice as events: one that says the units, or one for each."""
    if not used:
        return []
    name, key = f"{hold.public_id}/{hold.slices}", hold.wallet.account.key
    if meter.property:
        said = {**hold.properties, meter.property: used}
        return [usage_input(event_id=name, event_type=meter.event_type, account=key, time=None, properties=said)]
    return [
        usage_input(
            event_id=f"{name}/{number}", event_type=meter.event_type, account=key, time=None, properties=hold.properties
        )
        for number in range(1, int(used) + 1)
    ]


def _charge(events: Sequence[UsageInput], hold: Hold, *, at: datetime) -> tuple[Decimal, Outcome]:
    """Take events in this transaction; what they cost the hold's wallet."""
    if not events:
        return ZERO, "charged"
    result = ingest_batch(events=events, at=at, max_age=ingest_max_age())
    if result.rejected:
        refused = result.rejected[0]
        raise InvalidInput("The event is refused.", fields={"event": refused.detail}, extra={"event_code": refused.code})
    if any(balance.wallet != hold.wallet.public_id for balance in result.balances):
        wallet = hold.wallet.public_id
        raise InvalidInput(f"The event is charged to another wallet than {wallet}.", fields={"event": "one in its currency"})
    cost = sum((charged.amount for charged in result.charged), ZERO)
    return cost, "duplicate" if result.duplicates else "unrated" if result.unrated else "charged"


def _wallet(account: Account, currency: str | None, *, needed: Decimal | None) -> Wallet:
    """The wallet that is charged in `currency`. Raises HoldRefused when there is none: nothing can be spent there."""
    if currency is not None:
        check = Input()
        check.currency(currency)
        check.refuse("The hold cannot be placed like this.")
    wallet = charged_wallet(account=account, currency=currency)
    if wallet is None:
        figures = {"needed": None if needed is None else f"{needed:f}", "available": "0.00", "currency": currency}
        raise HoldRefused(
            f"Account {account.key} has no wallet in {currency or account.currency}.",
            extra={"reason": "balance_exhausted", **figures, "account": account.key},
        )
    return wallet
