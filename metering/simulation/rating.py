"""Rating past usage at a version, as ingest would have: sums by the price of a month's total, single charges with counters
in memory that begin with the month. What an allowance covered stays covered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from metering.simulation.prices import MODEL, SimulatedPrices
from metering.simulation.tally import Tally
from metering.simulation.usage import Customer, HourSum, PastCharge
from pricing.books.version_view import Line
from pricing.counters.counters import Counter, Key
from pricing.meters.measure import NotAQuantity, dimension_text, quantity_of, reported_dimensions, unique_value
from pricing.rating.rate import change, is_cumulative
from pricing.rating.rounding import to_charge
from wallets.money import ZERO
from wallets.months import month_of


@dataclass(slots=True)
class Simulator:
    """Rates usage and adds it up; `unpriced`: charges of the window that the version has no price for."""

    prices: SimulatedPrices
    start: datetime
    end: datetime
    tally: Tally = field(default_factory=Tally)
    unpriced: int = 0
    _totals: dict[tuple[int, int, int, int], Decimal] = field(default_factory=dict)
    _counters: dict[Key, Counter] = field(default_factory=dict)
    _seen: set[tuple[Key, str]] = field(default_factory=set)
    _zones: dict[str, ZoneInfo] = field(default_factory=dict)

    def add_hours(self, used: HourSum, dimensions: dict[str, str], customer: Customer) -> None:
        """Rate a sum; those of a month must come in order, what was used before the window first."""
        view = self.prices.view(customer.currency)
        line = self.prices.line(view, used.meter_id, dimensions)
        if line.price is None:
            self.unpriced += used.events if used.day is not None else 0
            return
        day = used.day or self._day(self.start, customer)
        key = (customer.id, line.counter_price, day.year, day.month)
        before = self._totals.get(key, ZERO)
        after = self._totals[key] = before + used.quantity
        if used.day is not None:
            exact = None if line.counted or line.rate is None else line.rate(used.quantity)
            amount, cost = change(line.price, before, after) if exact is None else exact[:2]
            account = (customer.id, customer.key)
            self.tally.priced(line.meter, dimensions.get(MODEL, ""), account, used.day, view.currency, amount, cost)

    def add_charge(self, past: PastCharge, customer: Customer) -> None:
        """Rate a single charge again; they must come in the order in which they arrived."""
        view = self.prices.view(customer.currency)
        line = self.prices.line(view, past.meter_id, past.properties, past.time)
        inside = self.start <= past.time < self.end
        rated = None if line.price is None else self._rate(line, past, customer)
        if rated is None:
            self.unpriced += inside
            return
        if inside:
            meter = self.prices.meters[past.meter_id]
            texts = {name: dimension_text(past.properties.get(name)) for name in meter.dimensions}
            model = reported_dimensions(meter.dimensions, texts).get(MODEL, "")
            day = self._day(past.time, customer)
            self.tally.priced(line.meter, model, (customer.id, customer.key), day, view.currency, *rated)

    def _rate(self, line: Line, past: PastCharge, customer: Customer) -> tuple[Decimal, Decimal] | None:
        """Amount and cost; None where the event does not say what the price needs."""
        assert line.price is not None, line.meter
        assert line.rate is not None, line.meter
        value = past.quantity if past.measured is None else past.measured
        own_price = None
        if line.own_price:
            try:
                own_price = Decimal(quantity_of(past.properties.get(line.own_price), name=line.own_price))
            except NotAQuantity:
                return None
        covered = past.allowance or ZERO
        counter = None
        if line.counted or (own_price is None and is_cumulative(line.price) and (covered or line.rate(value) is None)):
            counter = self._counter((customer.id, line.counter_price, month_of(past.time, customer.time_zone)[0]))
        quantity = value if counter is None else self._increase(line, value, past, counter)
        covered = min(covered, max(quantity, ZERO))
        priced = quantity - covered
        if counter is not None:
            priced = counter.take(priced)
        prior, events = (counter.quantity, counter.events) if counter is not None else (ZERO, 0)
        if covered and not priced:
            amount, cost = ZERO, ZERO
        elif priced < ZERO:
            amount, cost = change(line.price, prior, prior + priced) if is_cumulative(line.price) else (ZERO, ZERO)
        else:
            rated = line.rate(priced, prior, events, own_price)
            amount, cost = change(line.price, prior, prior + priced) if rated is None else rated[:2]
        if covered:
            cost += to_charge(line.price.unit_cost * covered)
        if counter is not None:
            counter.quantity += priced
            counter.events += 1
        return amount, cost

    def _increase(self, line: Line, value: Decimal, past: PastCharge, counter: Counter) -> Decimal:
        """By how much the charge changes where its meter stands."""
        match line.aggregation:
            case "max":
                return counter.rise_to(value)
            case "latest":
                return counter.move_to(value, past.time)
            case "unique":
                member = (counter.key, unique_value(line.property or "", past.properties) or "")
                new = member not in self._seen
                self._seen.add(member)
                return Decimal(new)
        return value

    def _counter(self, key: Key) -> Counter:
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = Counter(0, key)
        return counter

    def _day(self, time: datetime, customer: Customer) -> date:
        zone = self._zones.get(customer.time_zone)
        if zone is None:
            zone = self._zones[customer.time_zone] = ZoneInfo(customer.time_zone)
        return time.astimezone(zone).date()
