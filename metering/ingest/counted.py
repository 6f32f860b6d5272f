"""Charges that depend on what was used before: rated under the wallet's lock, for what is new only (a duplicate must not
advance a tier). Allowances cover what they can of a quantity, counters say where the rest begins, the price rates it.

A cumulative price may fall (volume), and so may a meter (latest): such a charge is negative. A batch first draws all its
charges and then gives back what the negative ones come to, each to the lots its counter drew from last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import DataError

from metering.ingest.charging import HOUR_US, PIECE, Usage, WalletWork, place_of_entry
from metering.ingest.rating import Item, ItemCharge, Measured
from metering.ingest.rows import COUNTED_COLUMNS
from metering.usage.models import ReturnedDraw
from metering.usage.returned import ReturnedPart, StandingDraws, rows_of_returned
from pricing.books.version_view import Line
from pricing.counters.counters import Counter, Key, Members, hash_of, load_counters
from pricing.counters.period import month_of
from pricing.meters.measure import Quantity
from pricing.rating.rate import change, is_cumulative
from pricing.rating.rounding import to_charge
from wallets.balances.lock import LockedWallet
from wallets.bulk import NULL, copy_lines
from wallets.credit.allowances import Allowances, UnitDraw, allowances_of
from wallets.credit.give_back import give_back
from wallets.money import ZERO

NOTHING_ELSE: Final = f"\t{NULL}\t{NULL}\t{NULL}\n"  # measured, allowance, allowance_from


class Fall(NamedTuple):
    """A negative charge: how much is to go back, and what its row says before and after where it goes."""

    item: Item
    number: int
    meter: str
    counter: Counter
    place: int
    amount: Decimal
    row: str
    more: str


@dataclass(slots=True)
class Counted:
    """What rating under the lock came to: rows of charges, and the negative ones by wallet."""

    counters: dict[Key, Counter]
    members: Members
    allowances: dict[int, Allowances]
    lines: list[str] = field(default_factory=list)
    falls: dict[int, list[Fall]] = field(default_factory=dict)

    def units(self, wallet_id: int) -> list[UnitDraw]:
        """What allowances of a wallet covered."""
        found = self.allowances.get(wallet_id)
        return found.draws if found is not None else []


def charge_pending(
    cursor: Any,
    items: Sequence[Item],
    locked: Mapping[int, LockedWallet],
    work: dict[int, WalletWork],
    entry_ids: Iterator[int],
    usage: Usage,
    *,
    bucket: int,
    at: datetime,
) -> Counted:
    """Rate what waits for the lock (`Item.pending`), in its order, and write its charges but the negative ones; adds it to
    what the items amount to, to what each wallet is to be debited (`work`) and to the roll-up.

    The database reads one piece while the next is rated. Raises DataError for an amount that cannot be stored.
    """
    covered = {wallet.id: wallet for wallet in locked.values() if wallet.allowance_meters}
    keys = _keys(items, covered)
    counters = load_counters({key for of_item in keys for key in of_item if key is not None}, bucket=bucket)
    members = Members(_members_of(items, keys, counters), bucket=bucket)
    counted = Counted(counters, members, allowances_of(covered, bucket=bucket, at=at) if covered else {})
    with cursor.copy(f"COPY metering_charge ({COUNTED_COLUMNS}) FROM STDIN") as copy:
        for first in range(0, len(items), PIECE):
            piece = slice(first, first + PIECE)
            _rate_piece(counted, items[piece], keys[piece], work, entry_ids, usage, bucket=bucket)
            copy.write("".join(counted.lines))
            counted.lines.clear()
    return counted


def _rate_piece(
    counted: Counted,
    items: Sequence[Item],
    keys: Sequence[Sequence[Key | None]],
    work: dict[int, WalletWork],
    entry_ids: Iterator[int],
    usage: Usage,
    *,
    bucket: int,
) -> None:
    sums_of, counters, allowances = usage.sums, counted.counters, counted.allowances
    for item, of_item in zip(items, keys, strict=True):
        wallet_id, time = item.wallet_id, item.time
        wallet = work.get(wallet_id)
        if wallet is None:
            entry_id = next(entry_ids)
            wallet = work[wallet_id] = WalletWork(entry_id, place_of_entry(bucket, wallet_id, entry_id), time, time)
        elif not wallet.earliest <= time <= wallet.latest:
            wallet.seen(time)
        hour, number = item.time_us // HOUR_US, len(item.charges)
        for measured, key in zip(item.pending, of_item, strict=True):
            line = measured[0]
            if key is not None and line.plain and wallet_id not in allowances:
                charge = _rate_plain(counted, item, number, line, measured[1], counters[key], wallet)
            else:
                charge = _rate(counted, item, number, measured, counters[key] if key else None, wallet)
            number += 1
            item.amount += charge[2]
            usage_key = (item.account.id, hour, item.currency, line.usage)
            sums = sums_of.get(usage_key)
            if sums is None:
                sums_of[usage_key] = [1, *charge[1:]]
            else:
                sums[0] += 1
                sums[1] += charge[1]
                sums[2] += charge[2]
                sums[3] += charge[3]
        item.pending = ()


def _keys(items: Sequence[Item], covered: Collection[int]) -> list[list[Key | None]]:
    """For each line of each item, its counter; None when what was used before does not matter. covered: wallets that may have
    allowances."""
    months: dict[int, tuple[datetime, datetime]] = {}
    keys: list[list[Key | None]] = []
    for item in items:
        account_id, time = item.account.id, item.time
        month = months.get(account_id)
        if month is None or not month[0] <= time < month[1]:
            month = months[account_id] = month_of(time, item.account.time_zone)
        wallet_id, start = item.wallet_id, month[0]
        keys.append(
            [
                (wallet_id, measured[0].counter_price, start)
                if measured[0].counted or _has_more_decimals(measured, covered=wallet_id in covered)
                else None
                for measured in item.pending
            ]
        )
    return keys


def _has_more_decimals(measured: Measured, *, covered: bool) -> bool:
    """Whether a flat price needs its counter for this quantity: not even 12 decimals hold the product; or might not, once an
    allowance has covered a part of it."""
    line, value, _, own_price = measured
    assert line.rate is not None, line.meter
    assert line.price is not None, line.meter
    if own_price is not None or not is_cumulative(line.price):
        return False
    return line.rate(value) is None or covered


def _members_of(
    items: Sequence[Item], keys: Sequence[Sequence[Key | None]], counters: Mapping[Key, Counter]
) -> Iterator[tuple[int, bytes]]:
    """What `unique` meters look at, by counter."""
    for item, of_item in zip(items, keys, strict=True):
        for (_, _, member, _), key in zip(item.pending, of_item, strict=True):
            if member and key is not None:
                yield counters[key].id, hash_of(member)


def _rate_plain(
    counted: Counted, item: Item, number: int, line: Line, quantity: Quantity, counter: Counter, work: WalletWork
) -> ItemCharge:
    """`_rate` for the usual case, without what it does not need: the quantity as it stands, no allowances."""
    assert line.rate is not None, line.meter
    prior = counter.quantity
    try:
        rated = line.rate(quantity, prior, counter.events)
    except OverflowError as error:
        raise _too_large(line) from error
    if rated is None or rated[0] <= ZERO:
        return _rate(counted, item, number, (line, quantity, "", None), counter, work)
    amount, cost, _ = rated
    counter.places += 1
    meter = line.meter
    start = work.totals.get(meter, ZERO)
    work.usages.append((meter, amount, item.time))
    work.totals[meter] = start + amount
    counted.lines.append(
        f"{item.row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}\t{start!s}{work.place}\t{counter.id}"
        f"\t{counter.places}\t{prior!s}\t{counter.events}{NOTHING_ELSE}"
    )
    counter.quantity = prior + quantity
    counter.events += 1
    return line, quantity, amount, cost


def _rate(
    counted: Counted, item: Item, number: int, measured: Measured, counter: Counter | None, work: WalletWork
) -> ItemCharge:
    """Rate one meter's part of an event, put its row together, move its counter and its wallet's line."""
    line, value, _, own_price = measured
    assert line.price is not None, line.meter
    quantity = value if line.plain or counter is None else _increase(counted, counter, measured, item.time)
    allowed, allowed_from, priced = ZERO, ZERO, quantity
    if quantity > 0 and item.wallet_id in counted.allowances:
        allowed, allowed_from = counted.allowances[item.wallet_id].take(line.meter, Decimal(quantity), item.time)
        priced = quantity - allowed
    if counter is not None:
        priced = counter.take(Decimal(priced))
    try:
        amount, cost = (ZERO, ZERO) if allowed and not priced else _priced(line, priced, counter, own_price)
        if allowed:
            cost += to_charge(line.price.unit_cost * allowed)
    except OverflowError as error:
        raise _too_large(line) from error
    more = f"\t{NULL}\t{NULL}\t{NULL}\t{NULL}\t{NULL}"
    if counter is not None:
        raw = f"{value!s}" if line.aggregation in {"max", "latest"} else NULL
        more = f"\t{counter.id}\t{counter.next_place()}\t{counter.quantity!s}\t{counter.events}\t{raw}"
        counter.quantity += priced
        counter.events += 1
    row = f"{item.row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}"
    more += f"\t{allowed!s}\t{allowed_from!s}" if allowed else f"\t{NULL}\t{NULL}"
    if amount < ZERO:
        assert counter is not None, (item.row_id, line.meter)
        fall = Fall(item, number, line.meter, counter, counter.places, -amount, row, more)
        counted.falls.setdefault(item.wallet_id, []).append(fall)
    else:
        start = f"{work.place_of(line.meter, amount, item.time)!s}" if amount else NULL
        place = work.place if amount or allowed else work.no_place
        counted.lines.append(f"{row}\t{start}{place}{more}\n")
    return line, quantity, amount, cost


def _too_large(line: Line) -> DataError:
    return DataError(f"The charge on meter {line.meter} is too large.")


def _increase(counted: Counted, counter: Counter, measured: Measured, time: datetime) -> Quantity:
    """By how much an event changes where its meter stands."""
    line, value, member, _ = measured
    match line.aggregation:
        case "max":
            return counter.rise_to(value)
        case "latest":
            return counter.move_to(value, time)
        case "unique":
            return counted.members.change(counter, hash_of(member), 1)
    return value


def _priced(line: Line, quantity: Quantity, counter: Counter | None, own_price: Decimal | None) -> tuple[Decimal, Decimal]:
    """Amount and cost of a quantity (negative: less than was charged; at a price per event that gives nothing back)."""
    prior, events = (counter.quantity, counter.events) if counter is not None else (ZERO, 0)
    assert line.price is not None, line.meter
    assert line.rate is not None, line.meter
    if quantity < 0:
        return change(line.price, prior, prior + quantity) if is_cumulative(line.price) else (ZERO, ZERO)
    rated = line.rate(quantity, prior, events, own_price)
    if rated is None:
        return change(line.price, prior, prior + quantity)
    return rated[0], rated[1]


def give_back_falls(cursor: Any, counted: Counted, locked: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> None:
    """Give back what negative charges come to, one entry a wallet, and write their rows."""
    lines: list[str] = []
    returned: list[ReturnedDraw] = []
    for wallet_id, falls in sorted(counted.falls.items()):
        standing = {fall.counter.id: StandingDraws(fall.counter.id, meter=fall.meter, bucket=bucket) for fall in falls}
        parts: list[list[ReturnedPart]] = [
            standing[fall.counter.id].take(fall.amount, before_place=fall.place) for fall in falls
        ]
        given = give_back(
            wallet=locked[wallet_id], parts=[one.part for of_fall in parts for one in of_fall], at=at, reference=""
        )
        places = iter(given.places)
        for fall, of_fall in zip(falls, parts, strict=True):
            start, *_ = [next(places) for _ in of_fall]
            lines.append(f"{fall.row}\t{start!s}\t{bucket}\t{wallet_id}\t{given.entry_id}{fall.more}")
            returned += rows_of_returned(of_fall, by_event_id=fall.item.row_id, by_line=fall.number, bucket=bucket)
    if lines:
        copy_lines(cursor, "metering_charge", COUNTED_COLUMNS, lines)
        ReturnedDraw.objects.bulk_create(returned)
