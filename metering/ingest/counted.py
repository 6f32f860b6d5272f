"""Charges that depend on what was used before: rated under the wallet's lock, for what is new only (a duplicate must not
advance a tier). Allowances cover what they can of a quantity, counters say where the rest begins, the price rates it.

A cumulative price may fall (volume), and so may a meter (latest): such a charge is negative. A batch first draws all its
charges and then gives back what the negative ones come to, each to the lots its counter drew from last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import DataError

from metering.ingest.charging import HOUR_US, PIECE, Usage, WalletWork, add_up, usage_lines
from metering.ingest.rating import Item, Measured
from metering.ingest.rows import COUNTED_COLUMNS, RUN_CHARGE_COLUMNS
from metering.ingest.runs import Job, Pending, Run, RunRow, drop_ahead, gather, stand, stored_runs
from metering.usage.models import ReturnedDraw
from metering.usage.returned import ReturnedPart, StandingDraws, rows_of_returned
from pricing.books.version_view import Line
from pricing.counters.counters import Counter, Key, Members, Place, hash_of, load_counters, remember, stored_counters
from pricing.meters.measure import Quantity
from pricing.rating.lines import NOWHERE
from pricing.rating.rate import change, is_cumulative
from pricing.rating.rounding import to_charge
from wallets.balances.lock import LockedWallet
from wallets.bulk import NULL, copy_lines
from wallets.credit.allowances import Allowances, UnitDraw, allowances_of
from wallets.credit.give_back import give_back
from wallets.money import ZERO

NOTHING_ELSE: Final = f"\t{NULL}\t{NULL}\t{NULL}\n"  # measured, allowance, allowance_from
_NO_SUMS: Final[list[Any]] = []
NO_PLACE: Final = f"{NULL}\t{NULL}"


class Fall(NamedTuple):
    """A negative charge: how much is to go back, and what its row says before and after where it goes."""

    item: Item
    number: int
    meter: str
    top: Place | None
    amount: Decimal
    row: str
    more: str
    returned: list[ReturnedPart]


@dataclass(slots=True)
class Counted:
    """What rating under the lock came to: rows of charges, and the negative ones by wallet; the statement that `stores` the
    counters and runs."""

    counters: dict[Key, Counter]
    members: Members
    allowances: dict[int, Allowances]
    runs: list[RunRow]
    stores: str = ""
    lines: list[str] = field(default_factory=list)
    falls: dict[int, list[Fall]] = field(default_factory=dict)

    def rows(self) -> str:
        """The rows that are ready, once."""
        rows = "".join(self.lines)
        self.lines.clear()
        return rows

    def units(self, wallet_id: int) -> list[UnitDraw]:
        """What allowances of a wallet covered."""
        found = self.allowances.get(wallet_id)
        return found.draws if found is not None else []


def charge_pending(
    cursor: Any,
    pending: Pending,
    locked: Mapping[int, LockedWallet],
    work: dict[int, WalletWork],
    usage: Usage,
    *,
    bucket: int,
    at: datetime,
) -> Counted:
    """Charge what waits for the lock: runs as they were rated ahead, where that stands, and the rest rated now, in its order.
    Writes the charges but the negative ones; adds them to what the items amount to, to what each wallet is to be debited
    (`work`) and to the roll-up.

    The database reads one piece while the next is rated. Raises DataError for an amount that cannot be stored.
    """
    covered = {wallet.id: wallet for wallet in locked.values() if wallet.allowance_meters}
    found = {wallet.id: wallet.allowance_meters for wallet in covered.values()}
    if any(not set(meters) <= set(pending.covered.get(wallet_id, ())) for wallet_id, meters in found.items()):
        for run in pending.runs:
            drop_ahead(run)
        pending = gather(pending.items, work, iter(()), bucket=bucket, covered=found)
    load_counters(pending.counters, bucket=bucket)
    stood = stand(pending, usage)
    members = Members(
        ((counter.id, hash_of(measured[2])) for _, _, measured, counter in pending.jobs if counter is not None and measured[2]),
        bucket=bucket,
    )
    counted = Counted(pending.counters, members, allowances_of(covered, bucket=bucket, at=at) if covered else {}, stood.runs)
    rest = bool(stood.again or pending.jobs)
    if stood.charges:
        with cursor.copy(f"COPY metering_charge ({RUN_CHARGE_COLUMNS}) FROM STDIN") as copy:
            copy.write("".join(stood.charges))
            if not rest:
                _finish(counted, usage, bucket=bucket)
    if rest:
        _charge_rest(cursor, counted, stood.again, pending.jobs, work, usage)
        find_falls(counted, bucket=bucket)
        _finish(counted, usage, bucket=bucket)
    for item in pending.items:
        item.pending = ()
    remember(pending.counters)
    return counted


def _charge_rest(
    cursor: Any, counted: Counted, runs: Sequence[Run], jobs: Sequence[Job], work: dict[int, WalletWork], usage: Usage
) -> None:
    with cursor.copy(f"COPY metering_charge ({COUNTED_COLUMNS}) FROM STDIN") as copy:
        for run in runs:
            _charge_run(counted, run, usage)
            if len(counted.lines) > PIECE:
                copy.write(counted.rows())
        for job in jobs:
            _charge_job(counted, job, work[job[0].wallet_id], usage)
            if len(counted.lines) > PIECE:
                copy.write(counted.rows())
        copy.write(counted.rows())


def _finish(counted: Counted, usage: Usage, *, bucket: int) -> None:
    """Put together what is to be written of the counters and the roll-up, of which no more is to come."""
    usage.lines = usage_lines(usage, bucket=bucket)
    counted.stores = stored_counters(counted.counters.values(), bucket=bucket, beside=stored_runs(counted.runs, bucket=bucket))


def _charge_run(counted: Counted, run: Run, usage: Usage) -> None:
    """Rate the jobs of a run; adds their rows. The usual case stands here, without what it does not need: the quantity as it
    was measured, no allowances, a charge above zero, mostly one slope all along."""
    counter, wallet, jobs = run.counter, run.wallet, run.jobs
    totals, seen, append = wallet.totals, wallet.usages.append, counted.lines.append
    account_id, currency, meter = jobs[0][0].account.id, jobs[0][0].currency, jobs[0][2][0].meter
    place = f"{wallet.place}\t{counter.id}\t"
    start = totals.get(meter, ZERO)
    line, hour, sums = jobs[0][2][0], 0, _NO_SUMS
    prior, events, places, previous = counter.quantity, counter.events, counter.places, _fields(counter.drew)
    rate, ids, of_usage, unit_cost = line.rate, line.ids, line.usage, line.unit_cost
    until, slope = _reach(line, prior)
    for item, number, measured in jobs:
        if measured[0] is not line:
            line, hour = measured[0], 0
            rate, ids, of_usage, unit_cost = line.rate, line.ids, line.usage, line.unit_cost
            until, slope = _reach(line, prior)
        quantity, time = measured[1], item.time
        if quantity and prior + quantity <= until and type(quantity) is int:
            amount, cost = slope * quantity, unit_cost * quantity
        else:
            try:
                rated = rate(quantity, prior, events)  # type: ignore[misc]  # what is counted has a price
            except OverflowError as error:
                raise _too_large(line) from error
            if rated is None or rated[0] <= ZERO:
                counter.quantity, counter.events, counter.places = prior, events, places
                _charge_job(counted, (item, number, measured, counter), wallet, usage)
                prior, events, places, previous = counter.quantity, counter.events, counter.places, _fields(counter.drew)
                start, (until, slope) = totals.get(meter, ZERO), _reach(line, prior)
                continue
            amount, cost, _ = rated
            until, slope = _reach(line, prior + quantity)
        places += 1
        seen((meter, amount, time))
        of_event = f"{item.row_id}\t{number}"
        append(
            f"{of_event}\t{ids}\t{quantity!s}\t{amount!s}\t{cost!s}\t{start!s}{place}{places}\t{prior!s}\t{events}\t{previous}"
            f"{NOTHING_ELSE}"
        )
        totals[meter] = start = start + amount
        prior, events, previous = prior + quantity, events + 1, of_event
        counter.drew = item.row_id, number
        item.amount += amount
        if item.time_us // HOUR_US != hour:
            hour = item.time_us // HOUR_US
            sums = usage.sums.setdefault((account_id, hour, currency, of_usage), [0, 0, ZERO, ZERO])
        sums[0] += 1
        sums[1] += quantity
        sums[2] += amount
        sums[3] += cost
    counter.quantity, counter.events, counter.places = prior, events, places


def _reach(line: Line, prior: Quantity) -> tuple[Quantity, Decimal]:
    """How far from here the price of a line is one slope, and the slope."""
    return NOWHERE if line.reach is None else line.reach(prior)


def _charge_job(counted: Counted, job: Job, wallet: WalletWork, usage: Usage) -> None:
    """Rate a job; adds its row."""
    item, number, measured, counter = job
    quantity, amount, cost = _rate(counted, item, number, measured, counter, wallet)
    item.amount += amount
    add_up(usage, (item.account.id, item.time_us // HOUR_US, item.currency, measured[0].usage), quantity, amount, cost)


def _fields(place: Place | None) -> str:
    """A charge as a row has it that names it."""
    return NO_PLACE if place is None else f"{place[0]}\t{place[1]}"


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
    more = f"\t{NULL}\t{NULL}\t{NULL}\t{NULL}\t{NO_PLACE}\t{NULL}"
    if counter is not None:
        raw = f"{value!s}" if line.aggregation in {"max", "latest"} else NULL
        more = f"\t{counter.id}\t{counter.next_place()}\t{counter.quantity!s}\t{counter.events}"
        more += f"\t{_fields(counter.drew) if amount > ZERO else NO_PLACE}\t{raw}"
        if amount > ZERO:
            counter.drew = item.row_id, number
        counter.quantity += priced
        counter.events += 1
    row = f"{item.row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}"
    more += f"\t{allowed!s}\t{allowed_from!s}" if allowed else f"\t{NULL}\t{NULL}"
    if amount < ZERO:
        assert counter is not None, (item.row_id, line.meter)
        fall = Fall(item, number, line.meter, counter.drew, -amount, row, more, [])
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


def find_falls(counted: Counted, *, bucket: int) -> None:
    """Find what the negative charges give back, from the charges of their counters that drew last; moves the counters' tops.
    The charges of the batch must have been written."""
    falls = [fall for of_wallet in counted.falls.values() for fall in of_wallet]
    if not falls:
        return
    standing = StandingDraws(bucket=bucket, tops={fall.top for fall in falls if fall.top is not None})
    for fall in falls:
        fall.returned.extend(standing.take(fall.amount, meter=fall.meter, top=fall.top))
    for counter in counted.counters.values():
        counter.drew = standing.top(counter.drew)


def give_back_falls(cursor: Any, counted: Counted, locked: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> None:
    """Give back what negative charges come to (`find_falls`), one entry a wallet, and write their rows."""
    lines: list[str] = []
    returned: list[ReturnedDraw] = []
    for wallet_id, falls in sorted(counted.falls.items()):
        parts = [one.part for fall in falls for one in fall.returned]
        given = give_back(wallet=locked[wallet_id], parts=parts, at=at, reference="")
        places = iter(given.places)
        for fall in falls:
            start, *_ = [next(places) for _ in fall.returned]
            lines.append(f"{fall.row}\t{start!s}\t{bucket}\t{wallet_id}\t{given.entry_id}{fall.more}")
            returned += rows_of_returned(fall.returned, by_event_id=fall.item.row_id, by_line=fall.number, bucket=bucket)
    if lines:
        copy_lines(cursor, "metering_charge", COUNTED_COLUMNS, lines)
        ReturnedDraw.objects.bulk_create(returned)
