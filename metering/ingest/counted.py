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
from metering.ingest.rating import Item, Measured
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


Job = tuple[Item, int, Measured, Counter | None]
"""An item, the line that its charge becomes, what was measured, and the counter; none when earlier usage does not matter."""


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
    counters: dict[Key, Counter] = {}
    jobs = _jobs(items, covered, counters)
    load_counters(counters, bucket=bucket)
    members = Members(
        ((counter.id, hash_of(measured[2])) for _, _, measured, counter in jobs if counter is not None and measured[2]),
        bucket=bucket,
    )
    counted = Counted(counters, members, allowances_of(covered, bucket=bucket, at=at) if covered else {})
    for item in items:
        wallet = work.get(item.wallet_id)
        if wallet is not None:
            wallet.seen(item.time)
            continue
        entry_id = next(entry_ids)
        place = place_of_entry(bucket, item.wallet_id, entry_id)
        work[item.wallet_id] = WalletWork(entry_id, place, item.time, item.time)
    with cursor.copy(f"COPY metering_charge ({COUNTED_COLUMNS}) FROM STDIN") as copy:
        for first in range(0, len(jobs), PIECE):
            copy.write(_charge_piece(counted, jobs[first : first + PIECE], work, usage))
    for item in items:
        item.pending = ()
    return counted


def _jobs(items: Sequence[Item], covered: Collection[int], counters: dict[Key, Counter]) -> list[Job]:
    """What is to be rated, in order, and in `counters` the counters it needs. covered: wallets that may have allowances."""
    months: dict[int, tuple[datetime, datetime]] = {}
    jobs: list[Job] = []
    for item in items:
        account_id, time, wallet_id = item.account.id, item.time, item.wallet_id
        month = months.get(account_id)
        if month is None or not month[0] <= time < month[1]:
            month = months[account_id] = month_of(time, item.account.time_zone)
        for number, measured in enumerate(item.pending, item.first_line + len(item.charges)):
            line = measured[0]
            counter = None
            if line.counted or _has_more_decimals(measured, covered=wallet_id in covered):
                key = (wallet_id, line.counter_price, month[0])
                counter = counters.get(key)
                if counter is None:
                    counter = counters[key] = Counter(0, key)
            jobs.append((item, number, measured, counter))
    return jobs


def _has_more_decimals(measured: Measured, *, covered: bool) -> bool:
    """Whether a flat price needs its counter for this quantity: not even 12 decimals hold the product; or might not, once an
    allowance has covered a part of it."""
    line, value, _, own_price = measured
    assert line.rate is not None, line.meter
    assert line.price is not None, line.meter
    if own_price is not None or not is_cumulative(line.price):
        return False
    return line.rate(value) is None or covered


def _charge_piece(counted: Counted, jobs: Sequence[Job], work: Mapping[int, WalletWork], usage: Usage) -> str:
    """Rate jobs; their rows. The usual case stands here, without what it does not need: the quantity as it was measured, no
    allowances, a charge above zero."""
    sums_of, allowances, lines = usage.sums, counted.allowances, counted.lines
    for item, number, measured, counter in jobs:
        line, quantity, _, _ = measured
        wallet = work[item.wallet_id]
        rated, prior = None, quantity
        if counter is not None and line.plain and item.wallet_id not in allowances:
            prior = counter.quantity
            try:
                rated = line.rate(quantity, prior, counter.events)  # type: ignore[misc]  # what is counted has a price
            except OverflowError as error:
                raise _too_large(line) from error
        if counter is not None and rated is not None and rated[0] > ZERO:
            amount, cost, _ = rated
            meter, totals = line.meter, wallet.totals
            start = totals.get(meter, ZERO)
            totals[meter] = start + amount
            wallet.usages.append((meter, amount, item.time))
            counter.places += 1
            lines.append(
                f"{item.row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}\t{start!s}{wallet.place}"
                f"\t{counter.id}\t{counter.places}\t{prior!s}\t{counter.events}{NOTHING_ELSE}"
            )
            counter.quantity = prior + quantity
            counter.events += 1
        else:
            quantity, amount, cost = _rate(counted, item, number, measured, counter, wallet)
        item.amount += amount
        key = (item.account.id, item.time_us // HOUR_US, item.currency, line.usage)
        sums = sums_of.get(key)
        if sums is None:
            sums_of[key] = [1, quantity, amount, cost]
        else:
            sums[0] += 1
            sums[1] += quantity
            sums[2] += amount
            sums[3] += cost
    rows = "".join(lines)
    lines.clear()
    return rows


def _rate(
    counted: Counted, item: Item, number: int, measured: Measured, counter: Counter | None, work: WalletWork
) -> tuple[Quantity, Decimal, Decimal]:
    """Rate one meter's part of an event (quantity, amount and cost), put its row together, move its counter and its wallet's
    line."""
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
    return quantity, amount, cost


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
