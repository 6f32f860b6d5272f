"""A version as a simulation uses it: which price a meter's usage has, and whether hourly sums are enough to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pricing.books.version_view import EACH_FOR_ITSELF, Line, MeterView, PublishedVersion, VersionView
from pricing.meters.measure import MAX_DIMENSION, MAX_DIMENSIONS_BYTES
from pricing.meters.models import Meter
from pricing.rating.rate import is_cumulative, needs_counter

MODEL: Final = "model"
CUT_AT_MOST: Final = MAX_DIMENSIONS_BYTES // 2  # bytes of one row's dimensions below which nothing was cut for room


@dataclass(slots=True)
class SimulatedPrices:
    """The version's prices, by currency and meter."""

    version: PublishedVersion
    meters: dict[int, MeterView]
    _exact: dict[tuple[str, int], bool] = field(default_factory=dict)
    _prior: dict[tuple[str, int], bool] = field(default_factory=dict)

    def view(self, currency: str) -> VersionView:
        """As it prices an account whose main currency this is."""
        return self.version.in_currency(currency)

    def line(self, view: VersionView, meter_id: int, properties: Mapping[str, Any], at: datetime | None = None) -> Line:
        """What a charge of this meter is rated by. at: the event's time, where schedules decide."""
        meter = self.meters[meter_id]
        plan = view.plan(meter.code, {meter.code: [meter]})
        values = tuple(map(properties.get, plan.keys)) if at is None else plan.values(properties, at)
        try:
            lines = plan.lines.get(values)
        except TypeError:  # a list or an object where a text was expected
            lines = None
        return (view.lines(plan, values) if lines is None else lines)[0]

    def hours_are_enough(self, view: VersionView, meter_id: int) -> bool:
        """Do sums by hour and dimensions say what the version charges, to the last decimal and for every model?"""
        key = (view.currency, meter_id)
        known = self._exact.get(key)
        if known is None:
            known = self._exact[key] = self._hours_are_enough(view, meter_id)
        return known

    def is_flat(self, view: VersionView, meter_id: int) -> bool:
        """Do all of a meter's units cost the same whatever came before? Then it matters little in which month they count."""
        return not any(needs_counter(candidate.terms) for candidate in view.prices.get(meter_id, ()))

    def begins_with_the_month(self, view: VersionView, meter_id: int) -> bool:
        """May what was used before in the month decide what usage costs?"""
        key = (view.currency, meter_id)
        known = self._prior.get(key)
        if known is None:
            meter = self.meters[meter_id]
            terms = [candidate.terms for candidate in view.prices.get(meter_id, ())]
            known = self._prior[key] = (
                meter.aggregation not in EACH_FOR_ITSELF
                or any(map(needs_counter, terms))
                or (meter.aggregation == "sum" and any(map(is_cumulative, terms)))
            )
        return known

    def _hours_are_enough(self, view: VersionView, meter_id: int) -> bool:
        meter, candidates = self.meters[meter_id], view.prices.get(meter_id, ())
        counters = Counter(candidate.terms.counter_id or candidate.terms.id for candidate in candidates)
        return meter.aggregation in EACH_FOR_ITSELF and all(
            candidate.schedule is None
            and is_cumulative(candidate.terms)
            and not candidate.terms.price_property
            and candidate.match.keys() <= set(meter.dimensions)
            and all(wanted is not None and len(wanted) < MAX_DIMENSION for wanted in candidate.match.values())
            and (
                not needs_counter(candidate.terms)
                # Where one counter goes over several models, which of them reached a tier is known from events only.
                or (
                    counters[candidate.terms.counter_id or candidate.terms.id] == 1
                    and (MODEL not in meter.dimensions or MODEL in candidate.match)
                )
            )
            for candidate in candidates
        )


def simulated_prices(version: PublishedVersion) -> SimulatedPrices:
    """The prices of a version for usage that was measured: every meter there ever was, its filters passed already."""
    meters = {
        meter.pk: MeterView(
            id=meter.pk,
            code=meter.code,
            property=meter.property or None,
            filters={},
            dimensions=tuple(meter.dimensions),
            aggregation=meter.aggregation,
            expression=meter.expression,
        )
        for meter in Meter.objects.all()
    }
    return SimulatedPrices(version, meters)


def may_be_cut(dimensions: Mapping[str, str]) -> bool:
    """Might these reported dimensions be shorter than what the events said?"""
    if any(len(text) >= MAX_DIMENSION for text in dimensions.values()):
        return True
    return sum(len(name.encode()) + len(text.encode()) for name, text in dimensions.items()) > CUT_AT_MOST


@lru_cache(maxsize=10_000)
def has_whole_hours(zone: str, start: datetime, end: datetime) -> bool:
    """Is the zone whole hours off UTC from the month before `start` until `end`, so that its days begin with hours of UTC?"""
    here, day = ZoneInfo(zone), start - timedelta(days=32)
    while day <= end + timedelta(days=1):
        offset = day.astimezone(here).utcoffset()
        if offset is not None and offset % timedelta(hours=1):
            return False
        day += timedelta(days=1)
    return True
