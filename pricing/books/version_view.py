"""A published version as ingest uses it: events of one kind -> what to measure at which price, looked up by what decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from pricing.books.schedule import Openings, openings_of
from pricing.meters.measure import Measurer, dimension_text, measurer_of, passes, reported_dimensions
from pricing.rating.explanation import PriceTerms, Rater
from pricing.rating.lines import Reach
from pricing.rating.rate import needs_counter, rater_of, reach_of
from wallets.bulk import escaped
from wallets.money import ZERO

MAX_PLANS: Final = 20_000
EACH_FOR_ITSELF: Final = frozenset({"count", "sum"})  # the others charge the increase over what was before


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter as ingest sees it."""

    id: int
    code: str
    property: str | None
    filters: dict[str, Any]
    dimensions: tuple[str, ...]
    aggregation: str
    expression: str


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What to do with one meter for events of one kind: measure `property` (None: count one), at `price`. `ids` and `usage`
    are fields of COPY's text form: meter and price, as a charge's row has them; meter and dimensions (a JSON object), as a
    roll-up's row has them.

    plain: the quantity is one, or a property's value as it stands, and the price needs no more than that.
    counted: what was charged before decides, so that it is priced under the wallet's lock, with its counter.
    counter_price: row id of the price whose counter it goes on with.
    unit_cost: of the price.
    reach: of what is counted and plain, how far its price is one slope.
    own_price: the property in which an event carries its own price; empty when it does not.
    """

    meter_id: int
    meter: str
    property: str | None
    price: PriceTerms | None
    rate: Rater | None
    reach: Reach | None
    unit_cost: Decimal
    ids: str
    usage: str
    plain: bool
    counted: bool
    aggregation: str
    counter_price: int
    measure: Measurer
    own_price: str


class Candidate(NamedTuple):
    """A price and what it is chosen by; `schedule` is None for one that always holds."""

    match: Mapping[str, str | None]
    schedule: str | None
    terms: PriceTerms


MeterPrices = Mapping[int, Sequence[Candidate]]
"""The prices of a version in one currency: by meter's row id, the one that wins first."""


@dataclass(slots=True)
class TypePlan:
    """How a version rates events of one type. `keys`: the properties that decide; `openings`: the schedules that decide too
    (None when no price has one); `lines`: by their values."""

    keys: tuple[str, ...]
    meters: list[MeterView]
    schedules: tuple[str, ...] = ()
    openings: Openings | None = None
    lines: dict[tuple[Any, ...], tuple[Line, ...]] = field(default_factory=dict)

    def values(self, properties: Mapping[str, Any], at: datetime) -> tuple[Any, ...]:
        """What decides about an event: its properties in the order of `keys` and, where prices have schedules, which of them
        are open."""
        values = tuple(map(properties.get, self.keys))
        return values if self.openings is None else (*values, self.openings.at(at))


@dataclass(slots=True)
class VersionView:
    """A published version as it prices an account: its prices in one currency."""

    id: int
    number: int
    currency: str
    effective_at: datetime
    prices: MeterPrices
    plans: dict[str, TypePlan] = field(default_factory=dict)

    def plan(self, event_type: str, meters: Mapping[str, list[MeterView]]) -> TypePlan:
        """The plan for events of a type that has meters."""
        plan = self.plans.get(event_type)
        if plan is None:
            own = meters[event_type]
            prices = [price for meter in own for price in self.prices.get(meter.id, ())]
            keys = {name for meter in own for name in (*meter.dimensions, *meter.filters)}
            keys.update(name for price in prices for name in price.match)
            schedules = tuple(sorted({price.schedule for price in prices if price.schedule is not None}))
            openings = openings_of([msgspec.json.decode(one) for one in schedules]) if schedules else None
            plan = self.plans[event_type] = TypePlan(tuple(sorted(keys)), own, schedules, openings)
        return plan

    def lines(self, plan: TypePlan, values: tuple[Any, ...]) -> tuple[Line, ...]:
        """The lines for events of which `plan.values` says this."""
        properties = values[: len(plan.keys)]
        texts = {name: dimension_text(value) for name, value in zip(plan.keys, properties, strict=True)}
        is_open = dict(zip(plan.schedules, values[-1], strict=True)) if plan.openings is not None else {}
        lines = tuple(self._line(meter, texts, is_open) for meter in plan.meters if passes(meter.filters, texts))
        if all(value is None or type(value) is str for value in properties):  # 1 and True are one key, "1" and "true" are not
            if len(plan.lines) >= MAX_PLANS:
                plan.lines.clear()
            plan.lines[values] = lines
        return lines

    def _line(self, meter: MeterView, texts: Mapping[str, str | None], is_open: Mapping[str, bool]) -> Line:
        price = self._price(meter.id, texts, is_open)
        ids = f"{meter.id}\t{price.id}" if price else ""
        rate = rater_of(price) if price else None
        dimensions = msgspec.json.encode(reported_dimensions(meter.dimensions, texts)).decode()
        usage = f"{meter.id}\t{escaped(dimensions)}"
        each_for_itself = meter.aggregation in EACH_FOR_ITSELF
        return Line(
            meter_id=meter.id,
            meter=meter.code,
            property=meter.property,
            price=price,
            rate=rate,
            unit_cost=price.unit_cost if price else ZERO,
            reach=reach_of(price) if price and each_for_itself and needs_counter(price) else None,
            ids=ids,
            usage=usage,
            plain=each_for_itself and not meter.expression and not (price and price.price_property),
            counted=price is not None and (not each_for_itself or needs_counter(price)),
            aggregation=meter.aggregation,
            counter_price=(price.counter_id or price.id) if price else 0,
            measure=measurer_of(meter.aggregation, meter.property or "", meter.expression),
            own_price=price.price_property if price else "",
        )

    def _price(self, meter_id: int, texts: Mapping[str, str | None], is_open: Mapping[str, bool]) -> PriceTerms | None:
        for match, schedule, terms in self.prices.get(meter_id, ()):
            if (schedule is None or is_open[schedule]) and all(texts.get(name) == wanted for name, wanted in match.items()):
                return terms
        return None


@dataclass(slots=True)
class PublishedVersion:
    """A published version: its prices by currency, and a view of each."""

    id: int
    number: int
    currency: str
    effective_at: datetime
    prices: Mapping[str, MeterPrices]
    views: dict[str, VersionView] = field(default_factory=dict)

    def in_currency(self, main: str) -> VersionView:
        """As it prices an account whose main currency is `main`: in that one if it has prices in it, else in its book's."""
        currency = main if main in self.prices else self.currency
        view = self.views.get(currency)
        if view is None:
            prices = self.prices.get(currency, {})
            view = self.views[currency] = VersionView(self.id, self.number, currency, self.effective_at, prices)
        return view
