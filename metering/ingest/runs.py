"""Runs: a batch's charges that move one counter and nothing else. They are rated ahead of the wallet's lock, at the slope on
which their counter stood when this process last saw it; under the lock it is only looked whether it still stands there,
and far enough from the slope's end. Then the charges are what rating under the lock would have made them, to the last
decimal; where not, they are rated again there (`counted.py`), one by one.

What a charge found its counter at is not in its row but follows from the run's (`metering/usage/runs.py`), so that a counter
that moved meanwhile changes nothing in the rows that are ready.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from metering.ingest.charging import HOUR_US, Usage, UsageKey, WalletWork, add_several, place_of_entry
from metering.ingest.rating import Item, Measured
from pricing.books.version_view import Line
from pricing.counters.counters import Counter, Key, last_seen
from pricing.meters.measure import Quantity
from pricing.rating.rate import is_cumulative
from wallets.bulk import array_literal
from wallets.credit.burn_down import Covered
from wallets.money import ZERO
from wallets.months import month_of

SPAN: Final = 100_000  # row ids from the first event of a run to its last, among which its charges are looked for later


@dataclass(slots=True)
class Ahead:
    """What rating a run ahead came to.

    prior, until: from where to where the price is this slope. quantity: of all the charges. begins, ends: where they stand on
    the meter's line of the entry. rows: of the charges, but for their ends, which are the same. sums: what they add to the
    roll-up (events, quantity, amount, cost).
    """

    line: Line
    prior: Quantity
    until: Quantity
    slope: Decimal
    quantity: int
    begins: Decimal
    ends: Decimal
    rows: list[str] = field(default_factory=list)
    usages: list[Covered] = field(default_factory=list)
    sums: list[tuple[UsageKey, int, int, Decimal, Decimal]] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """What moves one counter and nothing else: items, the line that each one's charge becomes, what was measured."""

    counter: Counter
    wallet: WalletWork
    jobs: list[tuple[Item, int, Measured]] = field(default_factory=list)
    ahead: Ahead | None = None


Job = tuple[Item, int, Measured, Counter | None]
"""An item, the line that its charge becomes, what was measured, and the counter; none when earlier usage does not matter."""


@dataclass(slots=True)
class _OfWallet:
    """What is to be rated of one wallet in one month."""

    since: datetime
    until: datetime
    work: WalletWork
    runs: dict[int, Run] = field(default_factory=dict)


@dataclass(slots=True)
class Pending:
    """What is to be rated under the locks: runs, and other jobs, each in order; the counters they need."""

    items: Sequence[Item]
    runs: list[Run] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    counters: dict[Key, Counter] = field(default_factory=dict)
    covered: Mapping[int, Collection[str]] = field(default_factory=dict)


class RunRow(NamedTuple):
    """A run as it is stored (`metering.usage.models.CounterRun`)."""

    counter_id: int
    entry_id: int
    prior_quantity: Quantity
    prior_events: int
    prior_places: int
    first_event: int
    charges: int
    drew_event: int | str
    drew_line: int | str


_KINDS: Final = ("bigint", "bigint", "numeric", "bigint", "bigint", "bigint", "integer", "bigint", "smallint")


class Stood(NamedTuple):
    """What became of the runs that were rated ahead: rows of charges, rows of runs, and the runs to be rated again."""

    charges: list[str]
    runs: list[RunRow]
    again: list[Run]


def covered_meters(items: Sequence[Item]) -> dict[int, Collection[str]]:
    """The meters of which the wallets of these items had allowances when they were looked up."""
    return {item.wallet_id: item.account.allowances.get(item.wallet_id, ()) for item in items if item.account.allowances}


def gather(
    items: Sequence[Item],
    work: dict[int, WalletWork],
    entry_ids: Iterator[int],
    *,
    bucket: int,
    covered: Mapping[int, Collection[str]],
) -> Pending:
    """What of these items is to be rated (`Item.pending`); adds their wallets to `work`. covered: by wallet, the meters it may
    have allowances of; of those nothing is a run, since their counters share them."""
    pending = Pending(items, covered=covered)
    latest: dict[int, _OfWallet] = {}
    months: dict[tuple[int, datetime], _OfWallet] = {}
    for item in items:
        time, wallet_id = item.time, item.wallet_id
        of_wallet = latest.get(wallet_id)
        if of_wallet is None or not of_wallet.since <= time < of_wallet.until:
            of_wallet = latest[wallet_id] = _month_of_wallet(item, months, work, entry_ids, bucket)
        its = of_wallet.work
        if time < its.earliest:
            its.earliest = time
        elif time > its.latest:
            its.latest = time
        runs, has_allowances = of_wallet.runs, covered.get(wallet_id, ())
        number = item.first_line + len(item.charges)
        for measured in item.pending:
            line = measured[0]
            run = runs.get(line.counter_price)
            if run is None and (line.counted or _has_more_decimals(measured, covered=line.meter in has_allowances)):
                key = (wallet_id, line.counter_price, of_wallet.since)
                counter = pending.counters[key] = Counter(0, key)
                run = runs[line.counter_price] = Run(counter, its)
                pending.runs.append(run)
            if run is None:
                pending.jobs.append((item, number, measured, None))
            elif line.plain and line.meter not in has_allowances:
                run.jobs.append((item, number, measured))
            else:
                pending.jobs.append((item, number, measured, run.counter))
            number += 1
    pending.runs = [run for run in pending.runs if run.jobs]
    return pending


def _month_of_wallet(
    item: Item,
    months: dict[tuple[int, datetime], _OfWallet],
    work: dict[int, WalletWork],
    entry_ids: Iterator[int],
    bucket: int,
) -> _OfWallet:
    since, until = month_of(item.time, item.account.time_zone)
    found = months.get((item.wallet_id, since))
    if found is None:
        its = work.get(item.wallet_id)
        if its is None:
            entry_id = next(entry_ids)
            place = place_of_entry(bucket, item.wallet_id, entry_id)
            its = work[item.wallet_id] = WalletWork(entry_id, place, item.time, item.time)
        found = months[item.wallet_id, since] = _OfWallet(since, until, its)
    return found


def _has_more_decimals(measured: Measured, *, covered: bool) -> bool:
    """Whether a flat price needs its counter for this quantity: not even 12 decimals hold the product; or might not, once an
    allowance has covered a part of it."""
    line, value, _, own_price = measured
    assert line.rate is not None, line.meter
    assert line.price is not None, line.meter
    if own_price is not None or not is_cumulative(line.price):
        return False
    return line.rate(value) is None or covered


def rate_ahead(pending: Pending) -> None:
    """Rate the runs whose counters are likely to stand on one slope all along. Nothing is waited for."""
    reached: dict[tuple[int, str], Decimal] = {}
    for run in pending.runs:
        counter, meter = run.counter, run.jobs[0][2][0].meter
        meters_line = (counter.key[0], meter)
        begins = reached.get(meters_line)
        if begins is None:
            begins = run.wallet.totals.get(meter, ZERO)
        run.ahead = ahead = _start(run, last_seen.get(counter.key, 0), begins)
        if ahead is not None and _rate(run, ahead):
            reached[meters_line] = ahead.ends


def _start(run: Run, prior: Quantity, begins: Decimal) -> Ahead | None:
    """The run on one slope from `prior` on; None when it does not stay there, or is not the usual case: whole quantities
    above zero."""
    line = run.jobs[0][2][0]
    if line.reach is None:
        return None
    until, slope = line.reach(prior)
    quantities = [measured[1] for _, _, measured in run.jobs]
    quantity = sum(quantities)
    if type(quantity) is not int or prior + quantity > until or 0 in quantities:
        return None
    return Ahead(line, prior, until, slope, quantity, begins, begins)


def _rate(run: Run, ahead: Ahead) -> bool:
    """Whether all of the run is at one price; nothing is done when not."""
    slope, start, jobs = ahead.slope, ahead.begins, run.jobs
    append, used = ahead.rows.append, ahead.usages.append
    meter = ahead.line.meter
    first = jobs[0][0]
    account_id, currency = first.account.id, first.currency
    line = ahead.line
    ids, unit_cost, hour = line.ids, line.unit_cost, first.time_us // HOUR_US
    events, counted, begun = 0, 0, start
    for item, number, measured in jobs:
        if measured[0] is not line or item.time_us // HOUR_US != hour:
            ahead.sums.append(((account_id, hour, currency, line.usage), events, counted, start - begun, unit_cost * counted))
            if measured[0].price is not line.price:
                drop_ahead(run)
                return False
            line, hour = measured[0], item.time_us // HOUR_US
            ids, unit_cost = line.ids, line.unit_cost
            events, counted, begun = 0, 0, start
        quantity = measured[1]
        amount = slope * quantity
        append(f"{item.row_id}\t{number}\t{ids}\t{quantity}\t{amount!s}\t{unit_cost * quantity!s}\t{start!s}")
        used((meter, amount, item.time))
        item.amount += amount
        start += amount
        events += 1
        counted += quantity  # type: ignore[assignment]  # whole, as _start looked
    ahead.sums.append(((account_id, hour, currency, line.usage), events, counted, start - begun, unit_cost * counted))
    ahead.ends = start
    return True


def stand(pending: Pending, usage: Usage) -> Stood:
    """The runs whose counters, now locked and loaded, stand where rating ahead took them to: their rows are what rating under
    the lock would make them. Moves their counters; adds them to what their wallets are to be debited and to the roll-up."""
    stood = Stood([], [], [])
    broken: set[tuple[int, str]] = set()
    for run in pending.runs:
        ahead, counter = run.ahead, run.counter
        if ahead is None:
            stood.again.append(run)
            continue
        meters_line = (counter.key[0], ahead.line.meter)
        first, last = _ends(run)
        if meters_line in broken or last[0] - first > SPAN or not _still(ahead, counter.quantity):
            broken.add(meters_line)  # what comes after it on the meter's line begins elsewhere
            drop_ahead(run)
            stood.again.append(run)
            continue
        wallet, charges = run.wallet, len(run.jobs)
        drew = counter.drew or ("NULL", "NULL")
        before = (counter.quantity, counter.events, counter.places)
        stood.runs.append(RunRow(counter.id, wallet.entry_id, *before, first, charges, *drew))
        end = f"{wallet.place}\t{counter.id}\n"
        ahead.rows.append("")
        stood.charges.append(end.join(ahead.rows))
        wallet.usages += ahead.usages
        wallet.totals[ahead.line.meter] = ahead.ends
        for key, events, quantity, amount, cost in ahead.sums:
            add_several(usage, key, events, quantity, amount, cost)
        counter.quantity += ahead.quantity
        counter.events += charges
        counter.places += charges
        counter.drew = last
    return stood


def stored_runs(rows: Sequence[RunRow], *, bucket: int) -> str:
    """The statement that writes runs; it has no parameters, all that is put into it is numbers. Empty for none."""
    if not rows:
        return ""
    columns = zip(_KINDS, zip(*rows, strict=True), strict=True)
    arrays = ", ".join(f"'{array_literal(values)}'::{kind}[]" for kind, values in columns)
    names = ", ".join(RunRow._fields)
    return f"""INSERT INTO metering_counterrun ({names}, bucket)
               SELECT {names}, {int(bucket)} FROM unnest({arrays}) AS v({names})"""  # noqa: S608 - as said above


def drop_ahead(run: Run) -> None:
    """As if the run had not been rated ahead."""
    if run.ahead is not None:
        for (item, _, _), (_, amount, _) in zip(run.jobs, run.ahead.usages, strict=False):
            item.amount -= amount
        run.ahead = None


def _still(ahead: Ahead, prior: Quantity) -> bool:
    """Whether the run is on its slope from `prior` on, all along."""
    if ahead.prior <= prior and prior + ahead.quantity <= ahead.until:
        return True
    assert ahead.line.reach is not None, ahead.line.meter
    until, slope = ahead.line.reach(prior)
    return slope == ahead.slope and prior + ahead.quantity <= until


def _ends(run: Run) -> tuple[int, tuple[int, int]]:
    """The row id of the run's first event, and its last charge: they stand in the order of their row ids."""
    rows = [job[0].row_id for job in run.jobs]
    last = max(rows)
    return min(rows), (last, run.jobs[rows.index(last)][1])
