"""Event properties -> quantity. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from wallets.money import LARGEST, SCALE, to_scale

Quantity = Decimal | int
"""How much of a meter's unit: whole numbers stay int, which is exact and quicker."""

LARGEST_WHOLE: Final = int(LARGEST)
MAX_DIMENSION: Final = 120  # characters of a dimension's value that are kept
# Roll-ups are indexed by their dimensions, and an entry of PostgreSQL's B-tree holds 2,704 bytes.
MAX_DIMENSIONS_BYTES: Final = 2_000

_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?", re.ASCII)


class NotAQuantity(ValueError):
    """A property that should be measured is not a number this system can count; the message names it."""


def quantity_of(value: Any, *, name: str) -> Quantity:
    """A property's value as a quantity: a JSON number or a decimal string, zero or more, at most 12 decimals.

    Raises NotAQuantity, naming the property and what is expected.
    """
    if type(value) is int and 0 <= value <= LARGEST_WHOLE:
        return value
    kind = type(value)
    if kind is int:
        quantity = Decimal(value)
    elif kind is Decimal:
        quantity = value
    elif kind is str:
        if not _NUMBER.fullmatch(value):  # Decimal itself would read 1_000 and NaN too
            raise NotAQuantity(f"properties.{name} must be a number, not {value[:40]!r}")
        quantity = Decimal(value)
    else:
        raise NotAQuantity(f"properties.{name} must be a number, not {kind.__name__}")
    if not quantity.is_finite():
        raise NotAQuantity(f"properties.{name} must be finite")
    if quantity < 0:
        raise NotAQuantity(f"properties.{name} must not be negative")
    if quantity > LARGEST:
        raise NotAQuantity(f"properties.{name} is too large")
    if quantity != to_scale(quantity):
        raise NotAQuantity(f"properties.{name} has more than {SCALE} decimals")
    return to_scale(quantity)


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
