"""How many units a slice grants. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from wallets.money import ZERO

ONE = Decimal(1)


class Slice(NamedTuple):
    """Units granted, what they cost, and whether nothing is left for more."""

    units: Decimal
    amount: Decimal
    is_final: bool


def grant_slice(*, wanted: Decimal, price: Callable[[Decimal], Decimal], most: Decimal) -> Slice:
    """As many of the `wanted` units as cost at most `most`: all of them, or as many whole ones as there can be.

    price: what so many units cost. Final (RFC 8506, Final-Unit-Indication): fewer than wanted, or not one more could be paid
    for after these.
    """
    if wanted > ZERO and ZERO <= price(wanted) <= most:
        return Slice(wanted, price(wanted), is_final=price(wanted + ONE) > most)
    enough, too_many = 0, int(wanted)
    if price(Decimal(too_many)) <= most:
        enough = too_many
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        if price(Decimal(middle)) <= most:
            enough = middle
        else:
            too_many = middle
    units = Decimal(enough)
    return Slice(units, price(units) if enough else ZERO, is_final=True)
