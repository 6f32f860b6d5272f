"""A price to be, as it is put forward: by the API, a file, a form. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """A tier of a price to be: up to and with `up_to` units (None: without end), at `unit_price` each (`rate` percent of
    them for graduated_percentage), and `flat_price` once."""

    up_to: Decimal | None = None
    unit_price: Decimal | None = None
    flat_price: Decimal | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentageTerms:
    """`rate` percent of an event's quantity and `fixed`, within `minimum` and `maximum`; free for the first `free_events` of a
    period as long as their amount stays within `free_amount` (each if set)."""

    rate: Decimal | None = None
    fixed: Decimal | None = None
    free_events: int | None = None
    free_amount: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms:
    """A price to be: what usage of a meter costs for events whose properties match, by its model.

    match: property -> value; empty for every event of the meter.  unit_price, unit_cost (what one unit costs us),
    minimum_charge (per event), package_price: in `currency`.  currency: None is the book's.  schedule: when it holds, as
    `schedule.py` says; None or empty is always.  free_units: the first of a period.  price_property: where an event carries
    its own price (dynamic).
    """

    meter: str
    match: Mapping[str, Any] = field(default_factory=dict)
    model: str = "per_unit"
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    minimum_charge: Decimal | None = None
    currency: str | None = None
    package_size: Decimal | None = None
    package_price: Decimal | None = None
    free_units: Decimal | None = None
    tiers: Sequence[TierTerms] = ()
    percentage: PercentageTerms | None = None
    price_property: str | None = None
    schedule: Mapping[str, Any] | None = None
