"""What a call that has not happened yet would cost: measured, covered by allowances and priced as its event would be now.
Nothing is locked: what others use at this moment is not seen, so that a call at the border of a tier or at the end of an
allowance may come to cost something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pricing.books.in_force import catalogue_in_force
from pricing.books.version_view import Line
from pricing.counters.models import PriceCounter
from pricing.counters.queries import counters_of, was_seen
from pricing.meters.measure import NotAQuantity, increase, quantity_of, unique_value
from pricing.rating.rate import rate
from wallets.balances.models import Wallet
from wallets.credit.queries import allowances_left
from wallets.errors import InvalidInput
from wallets.money import ZERO, to_scale
from wallets.months import month_of

REFUSED: Final = "The call cannot be estimated."


class UnknownType(InvalidInput):
    """No meter measures events of this type."""

    code = "unknown_type"


@dataclass(frozen=True, slots=True)
class Estimate:
    """amount: None when no price fits yet; such an event would be kept and charged later. Never negative: what a falling
    price would give back is not counted on. meters: the codes of what the call would be charged for.  quantities: how much of
    each."""

    amount: Decimal | None
    currency: str | None
    meters: tuple[str, ...] = ()
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides beside the price: counters by price, what is left of allowances by meter."""

    counters: Mapping[int, PriceCounter]
    allowances: Mapping[str, Decimal]


def price_estimate(*, account_id: int, event_type: str, properties: Mapping[str, Any], at: datetime) -> Estimate:
    """Price an event of this type and these properties as if it happened now. Stores nothing.

    Raises UnknownType, and InvalidInput naming the property that cannot be measured.
    """
    catalogue = catalogue_in_force()
    if event_type not in catalogue.meters:
        raise UnknownType(f"No meter measures events of type {event_type[:120]}.", fields={"type": "a type with a meter"})
    catalogue.read_assignments([account_id])
    version = catalogue.version_in_force(account_id, at)
    if version is None:
        return Estimate(None, None)
    plan = version.plan(event_type, catalogue.meters)
    lines = version.lines(plan, plan.values(properties, at))
    meters = tuple(line.meter for line in lines)
    standing = standing_of(account_id, version.currency, lines, at)
    total = ZERO
    quantities: dict[str, Decimal] = {}
    for line in lines:
        amount = line_amount(line, properties, standing)
        if amount is None:
            return Estimate(None, version.currency, meters)
        total += amount
        quantity = _quantity(line, properties, standing.counters.get(line.counter_price)) or ZERO
        quantities[line.meter] = quantities.get(line.meter, ZERO) + to_scale(quantity)
    return Estimate(max(total, ZERO), version.currency, meters, quantities)


def standing_of(account_id: int, currency: str, lines: Sequence[Line], at: datetime) -> Standing:
    """Where the account's default wallet stands as far as these lines ask."""
    wallets = Wallet.objects.select_related("account").filter(account_id=account_id, currency=currency, is_default=True)
    wallet = wallets.exclude(status=Wallet.Status.CLOSED).first()
    if wallet is None:
        return Standing({}, {})
    counted = [line.counter_price for line in lines if line.counted]
    counters: dict[int, PriceCounter] = {}
    if counted:
        month, _ = month_of(at, wallet.account.time_zone)
        counters = counters_of(wallet_id=wallet.pk, bucket=wallet.bucket, price_ids=counted, period_start=month)
    meters = {line.meter for line in lines}.intersection(wallet.allowance_meters)
    left = allowances_left(wallet_id=wallet.pk, bucket=wallet.bucket, meters=meters, at=at) if meters else {}
    return Standing(counters, left)


def line_amount(line: Line, properties: Mapping[str, Any], standing: Standing) -> Decimal | None:
    """What the call would cost on one meter; None when no price fits."""
    field = f"properties.{line.property}" if line.property else "properties"
    counter = standing.counters.get(line.counter_price)
    try:
        quantity = _quantity(line, properties, counter)
        if quantity is None:
            return ZERO
        if line.price is None:
            return None
        own_price = None
        if line.own_price:
            field = f"properties.{line.own_price}"
            own_price = quantity_of(properties.get(line.own_price), name=line.own_price)
        covered = min(quantity, standing.allowances.get(line.meter, ZERO))
        if covered and covered == quantity:
            return ZERO
        prior, events = (counter.quantity, counter.events) if counter is not None else (ZERO, 0)
        return rate(line.price, quantity - covered, prior_quantity=prior, prior_events=events, own_price=own_price)[0]
    except NotAQuantity as error:
        raise InvalidInput(REFUSED, fields={field: str(error)}) from None
    except OverflowError:
        raise InvalidInput(REFUSED, fields={field: "is too large"}) from None


def _quantity(line: Line, properties: Mapping[str, Any], counter: PriceCounter | None) -> Decimal | None:
    """By how much the call would raise what its meter measures; None when there is nothing to measure."""
    value = line.measure(properties)
    if value is None:
        return None
    if line.aggregation == "unique":
        text = unique_value(line.property or "", properties) or ""
        return ZERO if counter is not None and was_seen(counter=counter, value=text) else Decimal(1)
    rise = increase(line.aggregation, value, counter.measured if counter is not None else ZERO)
    return max(Decimal(rise), ZERO)
