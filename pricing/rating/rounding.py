"""How charges are brought to the 12 decimals that are stored: half up. Pure.

Half up (and not half even) because it does not care for exact shifts: R(x + d) = R(x) + d for every d of 12 decimals. So the
charges of a period, each R(price of the total after) - R(price of the total before), add up to R(price of the period's
total), and a charge whose exact amount has 12 decimals is that amount, whatever was charged before it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final

from wallets.money import DIGITS, EXACT, LARGEST, QUANTUM, SCALE

HALF_UP: Final = Context(prec=EXACT.prec, rounding=ROUND_HALF_UP)


def to_charge(exact: Decimal) -> Decimal:
    """A price that is not negative, with 12 decimals, half up."""
    try:
        return exact.quantize(QUANTUM, context=HALF_UP)
    except InvalidOperation:
        raise too_large(exact) from None


def fitting(amount: Decimal) -> Decimal:
    """`amount` itself. Raises OverflowError when it does not fit numeric(30,12)."""
    if not -LARGEST <= amount <= LARGEST:
        raise too_large(amount)
    return amount


def too_large(amount: Decimal | int) -> OverflowError:
    """The refusal of an amount."""
    return OverflowError(f"{amount} does not fit {DIGITS} digits with {SCALE} decimals")
