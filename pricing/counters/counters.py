"""Counters of locked wallets: read many, move, write many. The caller holds the wallets' locks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Final

from django.db import connection

from pricing.meters.measure import Quantity, increase
from wallets.bulk import array_literal, binary_rows
from wallets.ids import RowIds
from wallets.money import ZERO

_counter_ids: Final = RowIds("pricing_counter_blocks")


Key = tuple[int, int, datetime]
"""Which counter: row ids of wallet and price, start of the period."""

last_seen: dict[Key, Quantity] = {}
"""Where counters stood when this process last had them locked. A guess, to begin from before they are locked again."""
MOST_SEEN: Final = 200_000


Place = tuple[int, int]
"""A charge: its event's row id, its line."""


@dataclass(slots=True)
class Counter:
    """A counter's figures while its wallet is locked (`models.PriceCounter` says what they are)."""

    id: int
    key: Key
    quantity: Quantity = 0
    measured: Decimal = ZERO
    events: int = 0
    places: int = 0
    latest_at: datetime | None = None
    drew: Place | None = None

    def next_place(self) -> int:
        """The number of the counter's next charge."""
        self.places += 1
        return self.places

    def rise_to(self, value: Quantity) -> Decimal:
        """max: the increase, if `value` is above where the meter stands."""
        rise = Decimal(increase("max", value, self.measured))
        self.measured += rise
        return rise

    def move_to(self, value: Quantity, time: datetime) -> Decimal:
        """latest: the change, if the event is not older than the one that said where the meter stands."""
        if self.latest_at is not None and time < self.latest_at:
            return ZERO
        change = Decimal(increase("latest", value, self.measured))
        self.measured, self.latest_at = Decimal(value), time
        return change

    def stand_at(self, value: Decimal, latest_at: datetime | None) -> Decimal:
        """What the meter says once an event is taken back; the change."""
        change = value - self.measured
        self.measured, self.latest_at = value, latest_at
        return change

    def take(self, change: Decimal) -> Decimal:
        """What of a change is priced: all of an increase; of a decrease, no more than was priced."""
        return change if change >= ZERO else -min(-change, Decimal(self.quantity))


def load_counters(counters: Mapping[Key, Counter], *, bucket: int) -> None:
    """Fill in what these counters stand at, in one query; those that do not exist yet get their row id and stay at zero."""
    wanted = list(counters)
    for number, *row in binary_rows(
        """SELECT k.number, c.id, c.quantity, c.events, c.places, nullif(c.measured, 0), c.latest_at, c.drew_event, c.drew_line
           FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) WITH ORDINALITY
               AS k(wallet_id, price_id, period_start, number)
           JOIN pricing_pricecounter c ON c.bucket = %s AND c.wallet_id = k.wallet_id AND c.price_id = k.price_id
               AND c.period_start = k.period_start""",
        [
            array_literal([key[0] for key in wanted]),
            array_literal([key[1] for key in wanted]),
            _moments(key[2] for key in wanted),
            bucket,
        ],
    ):
        counter = counters[wanted[number - 1]]
        counter.id, quantity, counter.events, counter.places, measured, counter.latest_at, event, line = row
        counter.quantity = _short(quantity)
        if measured is not None:
            counter.measured = measured
        if event is not None:
            counter.drew = event, line
    missing = [key for key in wanted if not counters[key].id]
    for key, counter_id in zip(missing, _counter_ids.take(len(missing)), strict=True):
        counters[key].id = counter_id


def remember(counters: Mapping[Key, Counter]) -> None:
    """Keep in mind where counters stand now (`last_seen`)."""
    if len(last_seen) > MOST_SEEN:
        last_seen.clear()
    last_seen.update((key, counter.quantity) for key, counter in counters.items())


def forget() -> None:
    """Keep nothing in mind; for tests, whose counters are gone."""
    last_seen.clear()


def _short(quantity: Decimal) -> Quantity:
    """A whole quantity as int, which adds up more quickly."""
    whole = int(quantity)
    return whole if whole == quantity else quantity


def store_counters(counters: Iterable[Counter], *, bucket: int) -> None:
    """Write what counters stand at now."""
    with connection.cursor() as cursor:
        cursor.execute(stored_counters(counters, bucket=bucket))


def stored_counters(counters: Iterable[Counter], *, bucket: int, beside: str = "") -> str:
    """The statement that writes what counters stand at now; it has no parameters, so that it can run beside other work. All
    that is put into it is numbers and times. beside: an INSERT that goes with it, made in the same way."""
    changed = sorted(counters, key=_key_of)
    columns: list[tuple[str, list[object]]] = [
        ("bigint", [counter.id for counter in changed]),
        ("bigint", [counter.key[0] for counter in changed]),
        ("bigint", [counter.key[1] for counter in changed]),
        ("numeric", [counter.quantity for counter in changed]),
        ("numeric", [counter.measured for counter in changed]),
        ("bigint", [counter.events for counter in changed]),
        ("bigint", [counter.places for counter in changed]),
        ("bigint", ["NULL" if counter.drew is None else counter.drew[0] for counter in changed]),
        ("smallint", ["NULL" if counter.drew is None else counter.drew[1] for counter in changed]),
    ]
    arrays = ", ".join(f"'{array_literal(values)}'::{kind}[]" for kind, values in columns)
    times = ", ".join(
        f"'{_moments(moments)}'::timestamptz[]"
        for moments in ((counter.key[2] for counter in changed), (counter.latest_at for counter in changed))
    )
    also = f"WITH beside AS ({beside})" if beside else ""
    return f"""{also} INSERT INTO pricing_pricecounter
                   (id, bucket, wallet_id, price_id, period_start, quantity, measured, events, places, latest_at, drew_event,
                    drew_line)
               SELECT id, {int(bucket)}, wallet_id, price_id, period_start, quantity, measured, events, places, latest_at,
                      drew_event, drew_line
               FROM unnest({arrays}, {times})
                   AS v(id, wallet_id, price_id, quantity, measured, events, places, drew_event, drew_line, period_start,
                        latest_at)
               ON CONFLICT (bucket, wallet_id, price_id, period_start) DO UPDATE
               SET quantity = EXCLUDED.quantity, measured = EXCLUDED.measured, events = EXCLUDED.events,
                   places = EXCLUDED.places, latest_at = EXCLUDED.latest_at, drew_event = EXCLUDED.drew_event,
                   drew_line = EXCLUDED.drew_line"""  # noqa: S608 - as said above


def _moments(moments: Iterable[datetime | None]) -> str:
    """An array of times; most counters have the same."""
    texts: dict[datetime | None, str] = {None: "NULL"}
    found: list[str] = []
    for moment in moments:
        text = texts.get(moment)
        if text is None and moment is not None:
            text = texts[moment] = f'"{moment.isoformat()}"'
        found.append(text or texts[None])
    return array_literal(found)


_key_of = attrgetter("key")


def counter_by_id(counter_id: int, *, bucket: int) -> Counter:
    """One counter of a locked wallet."""
    (row,) = binary_rows(
        """SELECT id, wallet_id, price_id, period_start, quantity, measured, events, places, latest_at, drew_event, drew_line
           FROM pricing_pricecounter WHERE bucket = %s AND id = %s""",
        [bucket, counter_id],
    )
    counter = Counter(row[0], (row[1], row[2], row[3]), *row[4:9])
    if row[9] is not None:
        counter.drew = row[9], row[10]
    return counter


def hash_of(text: str) -> bytes:
    """How a value that a `unique` meter has seen is remembered."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


class Members:
    """The values that `unique` meters have seen in some counters, while their wallets are locked."""

    def __init__(self, seen: Iterable[tuple[int, bytes]], *, bucket: int) -> None:
        self._bucket = bucket
        self._before: dict[tuple[int, bytes], int] = {}
        self._changes: dict[tuple[int, bytes], int] = {}
        pairs = sorted(set(seen))
        if not pairs:
            return
        for counter_id, value, events in binary_rows(
            """SELECT m.counter_id, m.value, m.events
               FROM unnest(%s::bigint[], %s::bytea[]) AS k(counter_id, value)
               JOIN pricing_countermember m ON m.bucket = %s AND m.counter_id = k.counter_id AND m.value = k.value""",
            [[counter_id for counter_id, _ in pairs], [value for _, value in pairs], bucket],
        ):
            self._before[counter_id, bytes(value)] = events

    def change(self, counter: Counter, value: bytes, events: int) -> Decimal:
        """Count `events` more (or less) that carry `value`: one when it is new to the counter, minus one when it is gone."""
        key = (counter.id, value)
        before = self._before.get(key, 0) + self._changes.get(key, 0)
        self._changes[key] = self._changes.get(key, 0) + events
        rise = Decimal((before + events > 0) - (before > 0))
        counter.measured += rise
        return rise

    def store(self) -> None:
        """Write what changed, in one statement."""
        changed = sorted(key for key, change in self._changes.items() if change)
        if not changed:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO pricing_countermember (counter_id, value, bucket, events)
                   SELECT counter_id, value, %s, events FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[])
                       AS v(counter_id, value, events)
                   ON CONFLICT (counter_id, value) DO UPDATE SET events = EXCLUDED.events""",
                [
                    self._bucket,
                    [counter_id for counter_id, _ in changed],
                    [value for _, value in changed],
                    [self._before.get(key, 0) + self._changes[key] for key in changed],
                ],
            )
