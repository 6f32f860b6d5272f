"""The events behind a statement: what each of its lines of usage adds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from metering.usage.consumed import CHARGED, DETAIL, said_of, values_of
from pricing.meters.models import Meter
from wallets.money import ZERO
from wallets.statements.models import Statement, StatementLine
from wallets.statements.spans import Span

Section = StatementLine.Section
USAGE: Final = frozenset({Section.USAGE, Section.LATE_USAGE})
AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class EventBehind:
    """A charge of a line. pk: row id of the event; position: of the line; amount: what it took; reverses: the charge this one
    takes back; taken_back: another charge took this one back since."""

    pk: int
    event_id: str
    time: datetime
    received_at: datetime
    line: int
    position: int
    meter: str
    quantity: Decimal
    allowance: Decimal
    amount: Decimal
    entry_id: int | None
    reverses: int | None
    taken_back: bool


def events_behind(*, statement: Statement, position: int | None = None) -> Iterator[EventBehind]:
    """The charges that the statement's lines of usage (or the one at `position`) add up, by time; read a few at a time."""
    lines = [line for line in statement.lines.order_by("position") if line.section in USAGE]
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in={line.meter for line in lines})}
    places: dict[tuple[Any, ...], int] = {}
    for line in lines:
        late = line.section == Section.LATE_USAGE
        places.setdefault((meters[line.meter].pk, line.price_id, late, line.detail), line.position)
    codes = {meter.pk: code for code, meter in meters.items()}
    wanted = [line for line in lines if line.position == position] if position is not None else lines
    if not wanted:
        return
    values = values_of([_span(statement)]) | {
        "meters": sorted({meters[line.meter].pk for line in wanted}),
        "prices": sorted({line.price_id for line in wanted if line.price_id is not None}),
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, values)
        while rows := cursor.fetchmany(AT_A_TIME):
            for meter, price, late, detail, pk, event_id, time, received, line, quantity, allowance, *rest in rows:
                place = places.get((meter, price, late, said_of(detail)))
                if place is None or position not in {None, place}:
                    continue
                code, covered = codes[meter], allowance or ZERO
                yield EventBehind(pk, event_id, time, received, line, place, code, quantity, covered, *rest)


def first_events(*, statement: Statement, position: int, most: int) -> Sequence[EventBehind]:
    """The first of them, for a page."""
    found: list[EventBehind] = []
    for event in events_behind(statement=statement, position=position):
        if len(found) == most:
            break
        found.append(event)
    return found


def _span(statement: Statement) -> Span:
    return Span(
        wallet_id=statement.wallet_id,
        bucket=statement.bucket,
        period_start=statement.period_start,
        period_end=statement.period_end,
        time_zone=statement.time_zone,
        previous_id=None,
        low=statement.opening_version,
        high=statement.closing_version,
        opening=statement.opening_balance,
        closing=statement.closing_balance,
    )


_EVENTS: Final = f"""{CHARGED}
    SELECT c.meter_id, c.price_id, v.time < c.period_start, {DETAIL}, v.id, v.event_id, v.time, v.received_at, c.line,
           c.quantity, c.allowance, c.amount, c.entry_id, c.reverses,
           EXISTS (SELECT FROM metering_charge r WHERE r.bucket = c.bucket AND r.event_id = c.event_id AND r.reverses = c.line)
    FROM charged c JOIN metering_usageevent v ON v.bucket = c.bucket AND v.id = c.event_id
    WHERE c.meter_id = ANY(%(meters)s) AND c.price_id = ANY(%(prices)s)
    ORDER BY v.time, v.id, c.line
"""  # noqa: S608 - of constants
