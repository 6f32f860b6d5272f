"""What a quantity is: zero or more, at most 12 decimals, at most what numeric(30,12) holds. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from wallets.money import LARGEST, SCALE, to_scale

Quantity = Decimal | int
"""How much of a meter's unit: whole numbers stay int, which is exact and quicker."""

LARGEST_WHOLE: Final = int(LARGEST)

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
    return exact_quantity(quantity, what=f"properties.{name}")


def exact_quantity(number: Decimal, *, what: str) -> Decimal:
    """`number` with exactly 12 decimals. Raises NotAQuantity, saying `what` is wrong."""
    if not number.is_finite():
        raise NotAQuantity(f"{what} must be finite")
    if number < 0:
        raise NotAQuantity(f"{what} must not be negative")
    if number > LARGEST:
        raise NotAQuantity(f"{what} is too large")
    if number != to_scale(number):
        raise NotAQuantity(f"{what} has more than {SCALE} decimals")
    return to_scale(number)
