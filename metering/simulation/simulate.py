"""What past usage would have cost at a version of prices, published or not: revenue, cost and margin, who pays more, who
would have run empty. Nothing is stored.

Hourly sums are enough for most prices, so that ten million events are priced in seconds; what depends on single events is
rated event by event (`prices.py` says which). Usage counts in the month, in the customer's time zone, it happened in; where
hourly sums are used, in the order of time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from metering.simulation.prices import MODEL, SimulatedPrices, has_whole_hours, may_be_cut, simulated_prices
from metering.simulation.rating import Simulator
from metering.simulation.replay import lowest_balance, recharges_more
from metering.simulation.result import RanEmpty, Simulation, Source
from metering.simulation.tally import Tally, rows_of
from metering.simulation.usage import Customer, HourSum, customers, hour_sums, past_charges, purses, waiting_in
from pricing.books.in_force import version_as_priced
from pricing.books.models import PriceVersion
from pricing.books.queries import books_used, version_by_id
from pricing.books.version_view import VersionView
from wallets.accounts.models import Account
from wallets.errors import InvalidInput
from wallets.input import Input
from wallets.ledger.changes import changes_without_usage
from wallets.months import month_of

MAX_DAYS: Final = 400
MOST_EVENTS: Final = 200_000
EVERY: Final = 5_000

Pair = tuple[int, int]
"""Row ids of an account and a meter."""


class TooManyEvents(InvalidInput):
    """So many charges would have to be rated one by one that somebody should want it; `charges` says how many."""

    charges = 0


def simulate(
    *,
    version_id: str,
    from_: datetime,
    to: datetime,
    account: Account | None = None,
    only_payers: bool = False,
    most_events: int | None = MOST_EVENTS,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005 - nobody listens
) -> Simulation:
    """Price the usage from `from_` until before `to` (whole hours) at a version (`prv_…`), of one account or of all.

    only_payers: only of accounts that used the version's book at the end.  most_events: refuse when more charges must be
    rated one by one; None: never.  progress: told how many of how many are.  Raises NotFound, InvalidInput, TooManyEvents.
    """
    version = version_by_id(public_id=version_id)
    check_window(from_, to)
    account_id = account.pk if account is not None else None
    prices = simulated_prices(version_as_priced(version))
    sums = hour_sums(start=from_, end=to, account_id=account_id)
    known = customers({one.account_id for one in sums})
    if only_payers:
        known = _payers(known, version, at=to)
        sums = [one for one in sums if one.account_id in known]
    singly = _rated_singly(sums, known, prices, start=from_, end=to)
    from_events = sum(one.events for one in sums if (one.account_id, one.meter_id) in singly)
    if most_events is not None and from_events > most_events:
        too_many = TooManyEvents(
            f"{from_events:,} charges would have to be rated one by one. Confirm it, or take a shorter window or one account.",
            fields={"confirm": "true"},
        )
        too_many.charges = from_events
        raise too_many
    simulator = Simulator(prices, from_, to)
    sources: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for used in sums:
        customer, code, dimensions = known[used.account_id], prices.meters[used.meter_id].code, _dimensions(used.dimensions)
        one_by_one = (used.account_id, used.meter_id) in singly
        if used.day is not None:
            sources[code][one_by_one] += used.events
            simulator.tally.charged(
                code,
                dimensions.get(MODEL, ""),
                (customer.id, customer.key),
                used.day,
                used.currency,
                used.amount,
                used.cost,
            )
        if not one_by_one:
            simulator.add_hours(used, dimensions, customer)
    _rate_singly(simulator, singly, known, total=from_events, progress=progress)
    tally = simulator.tally
    return Simulation(
        version=version.public_id,
        start=from_,
        end=to,
        totals=rows_of(tally.totals),
        by_meter=rows_of(tally.meters),
        by_model=rows_of(tally.models),
        by_account=rows_of(tally.accounts),
        by_day=tally.by_day(),
        ran_empty=_ran_empty(tally, known, start=from_, end=to),
        sources=tuple(Source(code, *numbers) for code, numbers in sorted(sources.items())),
        unpriced=simulator.unpriced,
        waiting=waiting_in(start=from_, end=to, account_id=account_id),
    )


def check_window(start: datetime, end: datetime) -> None:
    """Whole hours, in order, not too many. Raises InvalidInput."""
    check = Input()
    for name, time in (("from", start), ("to", end)):
        if check.expect(name, time.tzinfo is not None, "a time with its offset"):
            check.expect(name, time.timestamp() % 3600 == 0, "a whole hour (UTC)")
    check.refuse("The window is not acceptable.")
    if check.expect("to", start < end, "a time after from"):
        check.expect("to", end - start <= timedelta(days=MAX_DAYS), f"at most {MAX_DAYS} days after from")
    check.refuse("The window is not acceptable.")


def _payers(known: dict[int, Customer], version: PriceVersion, *, at: datetime) -> dict[int, Customer]:
    """Those whose book is the version's at `at`."""
    used = books_used(account_ids=known, at=at)
    return {pk: one for pk, one in known.items() if (book := used[pk]) is not None and book.pk == version.book_id}


def _rated_singly(
    sums: Iterable[HourSum], known: dict[int, Customer], prices: SimulatedPrices, *, start: datetime, end: datetime
) -> set[Pair]:
    """Whose usage of which meters hourly sums are not enough for."""
    found: set[Pair] = set()
    for used in sums:
        pair = (used.account_id, used.meter_id)
        if pair in found:
            continue
        customer = known[used.account_id]
        view = prices.view(customer.currency)
        if (
            prices.meters[used.meter_id].code in customer.allowances
            or not prices.hours_are_enough(view, used.meter_id)
            or _may_be_cut(used.dimensions)
            or not (has_whole_hours(customer.time_zone, start, end) or _fits_any_hours(used, view, prices))
        ):
            found.add(pair)
    return found


def _fits_any_hours(used: HourSum, view: VersionView, prices: SimulatedPrices) -> bool:
    """Is a sum exact though a month may begin within one of its hours? At a flat price, where nothing is rounded."""
    return prices.is_flat(view, used.meter_id) and used.quantity == used.quantity.to_integral_value()


def _rate_singly(
    simulator: Simulator,
    pairs: set[Pair],
    known: dict[int, Customer],
    *,
    total: int,
    progress: Callable[[int, int], None],
) -> None:
    """Rate what hourly sums are not enough for, charge by charge; from the month's beginning where that matters."""
    prices, start = simulator.prices, simulator.start
    wanted = []
    for account_id, meter_id in sorted(pairs):
        customer = known[account_id]
        with_month = prices.begins_with_the_month(prices.view(customer.currency), meter_id)
        wanted.append((customer, meter_id, month_of(start, customer.time_zone)[0] if with_month else start))
    for number, past in enumerate(past_charges(wanted, end=simulator.end), 1):
        simulator.add_charge(past, known[past.account_id])
        if number % EVERY == 0:
            progress(number, max(total, number))


def _ran_empty(tally: Tally, known: dict[int, Customer], *, start: datetime, end: datetime) -> tuple[RanEmpty, ...]:
    """Replay each wallet that pays more, day by day; the earliest first."""
    used: dict[tuple[int, str], tuple[dict[date, Decimal], dict[date, Decimal]]] = defaultdict(lambda: ({}, {}))
    for (account_id, currency, day), sums in tally.days.items():
        before, after = used[account_id, currency]
        before[day], after[day] = sums.before, sums.after
    found = purses({account_id for account_id, _ in used})
    zones = {
        purse.id: known[account_id].time_zone
        for (account_id, currency), purse in found.items()
        if (account_id, currency) in used
    }
    others = changes_without_usage(zones=zones, start=start, end=end)
    rows = []
    for (account_id, currency), (before, after) in used.items():
        purse = found.get((account_id, currency))
        if purse is None:
            continue
        other = others[purse.id]
        as_it_was = lowest_balance(other.opening, other.by_day, before)
        low = lowest_balance(other.opening, other.by_day, after)
        if low.day is not None and low.lowest < as_it_was.lowest:
            more = recharges_more(as_it_was.lowest, low.lowest, usual=purse.usual)
            key = known[account_id].key
            rows.append(RanEmpty(key, purse.id, currency, low.day, as_it_was.day, low.lowest, more))
    return tuple(sorted(rows, key=lambda one: (one.day, one.account)))


@lru_cache(maxsize=10_000)
def _dimensions(text: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(text)
    return found


@lru_cache(maxsize=10_000)
def _may_be_cut(text: str) -> bool:
    return may_be_cut(_dimensions(text))
