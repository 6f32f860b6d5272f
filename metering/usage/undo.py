"""What undoing one charge comes to: its counter moves back, and the difference in price goes back, or is owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from metering.usage.models import Charge, ReturnedDraw
from metering.usage.returned import ReturnedPart, StandingDraws, rows_of_returned
from pricing.books.in_force import terms_of
from pricing.counters.counters import Counter, Members, counter_by_id, hash_of, store_counters
from pricing.meters.measure import unique_value
from pricing.rating.rate import change, is_cumulative
from pricing.rating.rounding import to_charge
from wallets.credit.give_back import Part
from wallets.money import ZERO


@dataclass(slots=True)
class Undo:
    """The charge that undoes another, and what is to be given back for it."""

    mirror: Charge
    parts: list[Part] = field(default_factory=list)
    returned: list[ReturnedPart] = field(default_factory=list)

    def returned_rows(self) -> list[ReturnedDraw]:
        """Of which charges of the counter something went back."""
        return rows_of_returned(
            self.returned, by_event_id=self.mirror.event_id, by_line=self.mirror.line, bucket=self.mirror.bucket
        )


def undo_charge(charge: Charge, *, properties: Mapping[str, Any], line: int) -> Undo:
    """Undo a charge of a locked wallet, of an event with these properties; moves its counter. The mirror, line `line` of the
    event, is not stored yet."""
    undo = Undo(_mirror(charge, line))
    if charge.counter_id is None:
        _return_allowance(undo, charge, charge.allowance or ZERO)
        _undo_draws(undo, charge)
        return undo
    counter = counter_by_id(charge.counter_id, bucket=charge.bucket)
    terms = terms_of(charge.price)
    delta = _change_of_meter(counter, charge, properties)
    allowed = min(charge.allowance or ZERO, max(-delta, ZERO))
    _return_allowance(undo, charge, allowed)
    priced = counter.take(delta + allowed)
    mirror = undo.mirror
    mirror.quantity = delta
    mirror.counter_id, mirror.counter_place = counter.id, counter.next_place()
    mirror.prior_quantity, mirror.prior_events = counter.quantity, counter.events
    if is_cumulative(terms):
        mirror.amount, cost = change(terms, counter.quantity, counter.quantity + priced)
        mirror.cost = cost - to_charge(terms.unit_cost * allowed)
        if mirror.amount < ZERO:
            standing = StandingDraws(bucket=charge.bucket)
            own = (charge.event_id, charge.line)
            undo.returned = standing.take(-mirror.amount, meter=charge.meter.code, top=counter.drew, first=own)
            undo.parts += [one.part for one in undo.returned]
            counter.drew = standing.top(counter.drew)
        elif mirror.amount > ZERO:
            mirror.previous_event, mirror.previous_line = counter.drew or (None, None)
            counter.drew = (mirror.event_id, mirror.line)
    else:
        _undo_draws(undo, charge)
    counter.quantity += priced
    counter.events -= 1
    store_counters([counter], bucket=charge.bucket)
    return undo


def _return_allowance(undo: Undo, charge: Charge, quantity: Decimal) -> None:
    """Give back units that allowances covered, from the end of what they did."""
    if not quantity:
        return
    assert charge.entry_id is not None, (charge.event_id, charge.line)
    assert charge.allowance is not None, (charge.event_id, charge.line)
    assert charge.allowance_from is not None, (charge.event_id, charge.line)
    start = charge.allowance_from + charge.allowance - quantity
    undo.mirror.allowance = -quantity
    undo.parts.append(Part(charge.entry_id, charge.meter.code, start, quantity, units=True))


def _undo_draws(undo: Undo, charge: Charge) -> None:
    """Give back exactly what the charge drew."""
    if charge.amount:
        assert charge.entry_id is not None, (charge.event_id, charge.line)
        assert charge.line_from is not None, (charge.event_id, charge.line)
        undo.parts.append(Part(charge.entry_id, charge.meter.code, charge.line_from, charge.amount))


def _change_of_meter(counter: Counter, charge: Charge, properties: Mapping[str, Any]) -> Decimal:
    """By how much where the meter stands changes without this charge: by nothing, where another event says the same or more;
    a `latest` may even rise."""
    meter = charge.meter
    match meter.aggregation:
        case "unique":
            value = hash_of(unique_value(meter.property, properties) or "")
            members = Members([(counter.id, value)], bucket=charge.bucket)
            fall = members.change(counter, value, -1)
            members.store()
            return fall
        case "max":
            value_left, _ = _left(charge, "c.measured DESC")
            return counter.stand_at(value_left, None)
        case "latest":
            return counter.stand_at(*_left(charge, "e.time DESC, c.counter_place DESC"))
    return -charge.quantity


def _left(charge: Charge, order: str) -> tuple[Decimal, datetime | None]:
    """What the first of the counter's other charges that stand says, and its event's time; zero when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.measured, e.time
                FROM metering_charge c JOIN metering_usageevent e ON e.bucket = c.bucket AND e.id = c.event_id
                WHERE c.bucket = %s AND c.counter_id = %s AND c.reverses IS NULL AND (c.event_id, c.line) <> (%s, %s)
                  AND c.measured IS NOT NULL AND NOT EXISTS (
                      SELECT 1 FROM metering_charge r
                      WHERE r.bucket = c.bucket AND r.event_id = c.event_id AND r.reverses = c.line
                  )
                ORDER BY {order} LIMIT 1""",  # noqa: S608 - of constants
            [charge.bucket, charge.counter_id, charge.event_id, charge.line],
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row is not None else (ZERO, None)


def _mirror(charge: Charge, line: int) -> Charge:
    """A charge with its signs turned that names the one it undoes."""
    return Charge(
        event_id=charge.event_id,
        line=line,
        bucket=charge.bucket,
        wallet_id=charge.wallet_id,
        meter=charge.meter,
        price_id=charge.price_id,
        quantity=-charge.quantity,
        amount=-charge.amount,
        cost=-charge.cost,
        reverses=charge.line,
    )
