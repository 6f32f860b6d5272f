"""Event properties -> quantity. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Protocol

from pricing.meters.expression import compile_expression
from pricing.meters.quantity import LARGEST_WHOLE as LARGEST_WHOLE
from pricing.meters.quantity import NotAQuantity as NotAQuantity
from pricing.meters.quantity import Quantity as Quantity
from pricing.meters.quantity import quantity_of as quantity_of

MAX_DIMENSION: Final = 120  # characters of a dimension's value that are kept
# Roll-ups are indexed by their dimensions, and an entry of PostgreSQL's B-tree holds 2,704 bytes.
MAX_DIMENSIONS_BYTES: Final = 2_000


Measurer = Callable[[Mapping[str, Any]], Quantity | None]
"""Properties -> what they count for; None: not measured. Raises NotAQuantity."""


class Measures(Protocol):
    """What of a meter decides how much an event counts."""

    @property
    def aggregation(self) -> str:
        """count, sum, max, unique or latest."""

    @property
    def expression(self) -> str:
        """What the quantity is computed by, instead of a property."""

    @property
    def property(self) -> str | None:
        """The property measured; none (or empty) for count and where there is an expression."""


def measure(meter: Measures, properties: Mapping[str, Any]) -> Quantity | None:
    """What an event with these properties counts for on this meter; None when it has nothing to measure.

    count: one.  sum: what is added.  max, latest: the value, of which `increase` is charged.  unique: one, to be charged when
    `unique_value` was not seen before in the period. Raises NotAQuantity, naming the property.
    """
    return measurer_of(meter.aggregation, meter.property or "", meter.expression)(properties)


@lru_cache(maxsize=10_000)
def measurer_of(aggregation: str, property: str, expression: str) -> Measurer:  # noqa: A002 - the wire's name for it
    """`measure` as a function of the properties alone, made once for a kind of meter."""
    if aggregation == "count":
        return lambda _: 1
    if aggregation == "unique":
        return lambda properties: None if unique_value(property, properties) is None else 1
    if expression:
        return compile_expression(expression).quantity

    def value_of(properties: Mapping[str, Any]) -> Quantity | None:
        value = properties.get(property)
        return None if value is None else quantity_of(value, name=property)

    return value_of


def unique_value(property: str, properties: Mapping[str, Any]) -> str | None:  # noqa: A002 - the wire's name for it
    """The text by which a unique meter tells values apart (1 and "1" are one); None when the event has none.

    Raises NotAQuantity when it is neither a text, a number nor a boolean.
    """
    value = properties.get(property)
    text = dimension_text(value)
    if text is None and value is not None:
        raise NotAQuantity(f"properties.{property} must be a text, a number or a boolean, not {type(value).__name__}")
    return text


def increase(aggregation: str, quantity: Quantity, prior_quantity: Quantity) -> Quantity:
    """By how much a measured quantity changes a period's total, from `prior_quantity` on.

    count, sum, unique: by itself.  max: by what it is above the highest so far.  latest: to the new value, so that it may be
    negative; of two events the later one counts, whichever arrives first.
    """
    if aggregation == "max":
        return max(quantity - prior_quantity, 0)
    return quantity - prior_quantity if aggregation == "latest" else quantity


def dimension_text(value: Any) -> str | None:
    """A property's value as matches, filters and dimensions see it: text; None when absent or null."""
    if value is None or type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | Decimal):
        return f"{Decimal(value).normalize():f}"
    return None


def passes(filters: Mapping[str, Any], values: Mapping[str, str | None]) -> bool:
    """Do dimension texts pass a meter's filters (property -> value or list of values)?"""
    for name, wanted in filters.items():
        options = wanted if isinstance(wanted, list) else [wanted]
        if values.get(name) not in {dimension_text(option) for option in options}:
            return False
    return True


def reported_dimensions(names: Iterable[str], texts: Mapping[str, str | None]) -> dict[str, str]:
    """What an event is reported by: the dimension texts that are there, by name in order, cut to what can be indexed."""
    kept = {name: text[:MAX_DIMENSION] for name in sorted(names) if (text := texts.get(name)) is not None}
    if sum(len(name.encode()) + len(text.encode()) for name, text in kept.items()) <= MAX_DIMENSIONS_BYTES:
        return kept
    share = max(0, MAX_DIMENSIONS_BYTES - sum(len(name.encode()) for name in kept)) // len(kept)
    return {name: text.encode()[:share].decode(errors="ignore") for name, text in kept.items()}
