"""Exact money. `Decimal` everywhere, 30 digits of which 12 after the point (I10); rounding to a currency's minor unit
happens only where money leaves the system (card charge, refund, statement total), half-even."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final

DIGITS: Final = 30
SCALE: Final = 12
ZERO: Final = Decimal(0)
QUANTUM: Final = Decimal(1).scaleb(-SCALE)
LARGEST: Final = Decimal("9" * (DIGITS - SCALE) + "." + "9" * SCALE)

# Wide enough that products of two 30-digit numbers are exact before they are brought back to 12 decimals.
EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)

# Python's default context rounds sums to 28 digits; a balance has 30. New threads copy DefaultContext.
decimal.DefaultContext.prec = EXACT.prec
decimal.getcontext().prec = EXACT.prec

# ISO 4217 minor units other than 2 (six.group/ISO 4217 list one, "Minor unit" column).
MINOR_DIGITS: Final[dict[str, int]] = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}  # fmt: skip


def minor_digits(currency: str) -> int:
    """Digits after the point of a currency's minor unit (ISO 4217); a custom credit unit counts as 2."""
    return MINOR_DIGITS.get(currency, 2)


def to_scale(amount: Decimal) -> Decimal:
    """`amount` with exactly 12 decimals, half-even: the form in which money is stored.

    Raises OverflowError when it does not fit numeric(30,12).
    """
    try:
        scaled = amount.quantize(QUANTUM, context=EXACT)
    except InvalidOperation:
        raise OverflowError(f"{amount} does not fit {DIGITS} digits with {SCALE} decimals") from None
    if abs(scaled) > LARGEST:
        raise OverflowError(f"{amount} does not fit {DIGITS} digits with {SCALE} decimals")
    return scaled


def scaled_text(amount: Decimal) -> str:
    """`amount` (at most 12 decimals) as PostgreSQL prints numeric(30,12): always 12 decimals, no exponent."""
    text = str(amount)
    return text if text[-13:-12] == "." and "E" not in text else f"{amount:.12f}"  # what has 12 decimals already is quicker


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half-even to the currency's minor unit; only where money leaves the system (I10)."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), context=EXACT)


def split(amount: Decimal, weights: Sequence[Decimal], *, currency: str) -> list[Decimal]:
    """Split `amount` by `weights` into parts in minor units that add up to it exactly (largest remainder).

    Raises ValueError for weights that are empty, negative or all zero, or an amount finer than the minor unit.
    """
    total = sum(weights, ZERO)
    if not weights or min(weights) < 0 or total == 0:
        raise ValueError("weights must be non-negative and not all zero")
    unit = Decimal(1).scaleb(-minor_digits(currency))
    units = amount / unit
    if units != units.to_integral_value():
        raise ValueError(f"{amount} is finer than the minor unit of {currency}")
    exact = [EXACT.divide(EXACT.multiply(units, w), total) for w in weights]
    floors = [e.to_integral_value(rounding="ROUND_FLOOR") for e in exact]
    left = int(units - sum(floors, ZERO))
    by_remainder = sorted(range(len(weights)), key=lambda i: (floors[i] - exact[i], i))
    for i in by_remainder[:left]:
        floors[i] += 1
    parts = [f * unit for f in floors]
    assert sum(parts, ZERO) == amount, (amount, parts)
    return parts


def plain(amount: Decimal) -> str:
    """A decimal string without exponent and without trailing zeros beyond two decimals: for people and for the wire."""
    text = f"{amount:f}"
    if "." not in text:
        return text
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole + ".00"
