"""What a commitment covers. Pure.

A customer commits to pay an amount every hour or month, used or not, and gets a discount on what it covers. Usage is always
rated at list prices; the committed amount is turned into what it covers at list prices, once, when the period's lot is
granted: 10.00 at 20 % off cover 12.50 of usage. Drawing 12.50 of list-priced usage from a lot sold at 10.00 is the discounted
rate, and what the lot does not cover is at list price.

At the border within one event: of an event's list price, the part the lot still holds is drawn from it (so that part of the
event's quantity is at the discounted rate) and the rest from the wallet's other credit, in list money. An event of 5.00 that
meets 2.00 left costs 2.00 of the lot, which the customer bought for 1.60, and 3.00 beside. No event is split in two, none is
rated twice, and a void gives back exactly what was drawn.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from wallets.money import EXACT, ZERO, to_scale

HUNDRED: Final = Decimal(100)


class Covered(NamedTuple):
    """One event at the border. within: of its list price, what the commitment covers. beyond: the rest, at list price."""

    within: Decimal
    beyond: Decimal


def face_value(amount: Decimal, *, discount_percent: Decimal) -> Decimal:
    """What `amount` covers of usage at list prices, in 12 decimals: amount / (1 - discount)."""
    assert ZERO <= discount_percent < HUNDRED, discount_percent
    return to_scale(EXACT.divide(EXACT.multiply(amount, HUNDRED), HUNDRED - discount_percent))


def cover_event(list_price: Decimal, *, left: Decimal) -> Covered:
    """What a lot that still holds `left` covers of an event."""
    within = min(list_price, left)
    return Covered(within, list_price - within)


def discounted(list_price: Decimal, *, discount_percent: Decimal) -> Decimal:
    """What usage within the commitment cost the customer, in 12 decimals."""
    return to_scale(EXACT.divide(EXACT.multiply(list_price, HUNDRED - discount_percent), HUNDRED))
