"""Holds for work that has a price: estimated before it, charged by its event after it, in the same transaction in which the
hold ends. The holds themselves: `wallets/holds`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from django.db import transaction

from metering.caps.count import count_captured
from metering.caps.models import CapProperties
from metering.caps.properties import named_in
from metering.caps.reserve import end_reservation
from metering.gate.estimate import price_estimate
from metering.gate.hold_caps import CapRefused, CapRoom, lock_room
from metering.gate.quotas import refuse_spent_quota
from metering.gate.units import MOST_EVENTS, QuantitiesOf, meter_of, meters_of, quantities_of, sample_of, units_of
from metering.ingest.batch import ingest_batch, ingest_max_age
from metering.ingest.decode import MAX_ID, UsageInput, usage_input
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.balances.queries import charged_wallet
from wallets.errors import InvalidInput
from wallets.holds.capture import Captured, capture_amount, capture_charged, check_above
from wallets.holds.models import Hold
from wallets.holds.place import Units, Work, place_hold, place_units, release_hold
from wallets.holds.refusals import HoldRefused
from wallets.holds.renew import Renewed, refuse_other_slice, renew_charged
from wallets.input import Input
from wallets.money import ZERO, to_scale

NOBODY: Final[Mapping[str, str]] = {}

Outcome = Literal["charged", "duplicate", "unrated"]


@dataclass(frozen=True, slots=True)
class EventCaptured:
    """A capture, and what became of its event. duplicate: it had been charged before, so the hold was charged nothing;
    unrated: it waits for a price and is charged, without the hold, when it has one."""

    captured: Captured
    outcome: Outcome


def hold_amount(
    *,
    account: Account,
    amount: Decimal,
    currency: str | None,
    ttl_seconds: int,
    at: datetime,
    work: Work,
    scopes: Mapping[str, str] = NOBODY,
) -> Hold:
    """Hold an amount in `currency` (None: the account's main one). scopes: who the work is by, for spend caps.

    Raises CapRefused, and as `place_hold`.
    """
    wallet = _wallet(account, currency, needed=amount)
    return _place(wallet, amount, ttl_seconds, work, scopes, None, at)


def hold_estimate(
    *,
    account: Account,
    event_type: str,
    properties: Mapping[str, Any],
    ttl_seconds: int,
    at: datetime,
    work: Work,
    scopes: Mapping[str, str] = NOBODY,
) -> Hold:
    """Hold what an event of this type and these properties would cost now. scopes: who it is by, if the properties do not
    say. Raises UnknownType, InvalidInput (no price fits), CapRefused, and as `place_hold`."""
    estimate = price_estimate(account_id=account.pk, event_type=event_type, properties=properties, at=at)
    if estimate.amount is None:
        raise InvalidInput("No price fits this work.", fields={"properties": "what a price in force fits"})
    refuse_spent_quota(account_id=account.pk, meters=estimate.meters, at=at)
    wallet = _wallet(account, estimate.currency, needed=estimate.amount)
    work = Work(meters_of(account, event_type, properties, at), work.subject, work.actor)
    by = {**scopes, **_named(wallet, properties)}
    return _place(wallet, to_scale(estimate.amount), ttl_seconds, work, by, estimate.quantities, at)


def hold_units(
    *,
    account: Account,
    meter_code: str,
    units: Decimal,
    properties: Mapping[str, Any],
    ttl_seconds: int,
    at: datetime,
    work: Work,
    scopes: Mapping[str, str] = NOBODY,
) -> Hold:
    """Grant up to `units` of a meter as the first slice of a hold. properties: what the events will say besides, as far as
    prices depend on it.  scopes: who the work is by; the events will say so too.  Fewer units are granted where a spend cap
    leaves room for fewer. Raises InvalidInput (no such meter, no price fits), CapRefused, and as `place_units`."""
    if scopes:
        names = CapProperties.objects.filter(pk=account.pk).first() or CapProperties()
        properties = {**{getattr(names, scope): value for scope, value in scopes.items()}, **properties}
    meter = meter_of(meter_code)
    refuse_spent_quota(account_id=account.pk, meters=[meter_code], at=at)
    wanted, currency = units_of(account=account, meter=meter, units=units, properties=properties, at=at)
    wallet = _wallet(account, currency, needed=None)
    work = Work(meters_of(account, meter.event_type, sample_of(meter, properties), at), work.subject, work.actor)
    with transaction.atomic():
        room, quantities = _room_for_units(wallet, meter, properties, at)
        if room is not None:
            least = min(wanted.wanted, Decimal(1))
            room.refuse_beyond(wanted.price(least), quantities.of(least))
            wanted = room.limited(wanted, quantities)
        hold = place_units(wallet_id=wallet.pk, units=wanted, ttl_seconds=ttl_seconds, at=at, work=work)
        if room is not None:
            room.set_aside(hold, hold.amount, quantities.of(hold.granted))
    return hold


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
        captured = capture_charged(hold_public_id=hold.public_id, cost=cost, by=by, at=at, above=above)
        _free_caps(hold)
        return EventCaptured(captured, outcome)


def capture_by_amount(*, hold: Hold, amount: Decimal, at: datetime, above: str | None = None) -> Captured:
    """Charge an amount without an event, and count it for the spend caps the hold was placed under.

    Raises as `capture_amount`.
    """
    with transaction.atomic():
        captured = capture_amount(hold_public_id=hold.public_id, amount=amount, at=at, above=above)
        if hold.wallet.has_caps and not captured.is_replay:
            count_captured(hold=hold, amount=captured.charged, at=at)
        _free_caps(hold)
        return captured


def release(*, hold: Hold, at: datetime) -> Hold:
    """Give back what a hold has set aside, of credit and of spend caps. Raises as `release_hold`."""
    with transaction.atomic():
        released = release_hold(hold_public_id=hold.public_id, at=at)
        _free_caps(hold)
        return released


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
    meter = meter_of(hold.meter)
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
        _free_caps(hold)
        following: Units | None = None
        room, quantities, capped = None, QuantitiesOf({}, {}), False
        if wanted:
            following, _ = units_of(account=account, meter=meter, units=wanted, properties=hold.properties, at=at)
            room, quantities = _room_for_units(hold.wallet, meter, hold.properties, at)
        if room is not None and following is not None:
            least = min(wanted, Decimal(1))
            capped = room.reached(following.price(least), quantities.of(least)) is not None
            following = room.limited(following, quantities)
        renewed = renew_charged(
            hold_public_id=hold.public_id, cost=cost, used=used, at=at, wanted=following, ttl_seconds=ttl_seconds, above=above
        )
        if room is not None and renewed.hold.granted:
            room.set_aside(renewed.hold, renewed.hold.amount, quantities.of(renewed.hold.granted))
        if capped and renewed.reason == "balance_exhausted":
            return replace(renewed, reason=CapRefused.code)
        return renewed


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


def _place(
    wallet: Wallet,
    amount: Decimal,
    ttl_seconds: int,
    work: Work,
    scopes: Mapping[str, str],
    quantities: Mapping[str, Decimal] | None,
    at: datetime,
) -> Hold:
    """Hold an amount, within credit and spend caps."""
    with transaction.atomic():
        room = lock_room(wallet=wallet, scopes=scopes, quantities=quantities, at=at)
        if room is not None:
            room.refuse_beyond(amount, quantities)
        hold = place_hold(wallet_id=wallet.pk, amount=amount, ttl_seconds=ttl_seconds, at=at, work=work)
        if room is not None:
            room.set_aside(hold, amount, quantities)
    return hold


def _room_for_units(
    wallet: Wallet, meter: Meter, properties: Mapping[str, Any], at: datetime
) -> tuple[CapRoom | None, QuantitiesOf]:
    """What spend caps leave of units of this meter, and how much of each meter they are; no query where there are no caps."""
    if not wallet.has_caps:
        return None, QuantitiesOf({}, {})
    quantities = quantities_of(wallet.account_id, meter, properties, at)
    room = lock_room(wallet=wallet, scopes=_named(wallet, properties), quantities=quantities.of(ZERO), at=at)
    return room, quantities


def _free_caps(hold: Hold) -> None:
    """A hold has ended, or its slice: what it had set aside of spend caps is free. No query where there are none."""
    if hold.wallet.has_caps:
        end_reservation(hold)


def _named(wallet: Wallet, properties: Mapping[str, Any]) -> dict[str, str]:
    """Who such work is by, for spend caps; not looked up where there are none."""
    return named_in(properties, account_id=wallet.account_id) if wallet.has_caps else {}


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
