"""Which threshold a change of balance crosses, down or back up: an edge, not a level. Pure.

A threshold is a share of a wallet's reference (percents) or an amount; 0 percent, used up, is always one. What was crossed
and not come back from is kept as the lowest of it (`Fired`): everything above counts as crossed too, so that a balance that
falls through several tells the lowest.

A threshold comes back, and can be crossed again, when credit that counts leaves the balance above it, or when the balance has
risen to COMES_BACK of it: a balance that hovers at a threshold is told once, whatever small sums go in and out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

DEFAULT_PERCENTS: Final = (5, 20, 50)
ARMED: Final = 100
"""Of `Fired.percent`: none was crossed."""

COMES_BACK: Final = Decimal("1.25")
COUNTS_FROM: Final = Decimal("0.2")
"""Credit counts when it adds this share of the reference to what can be spent, or takes the balance to the reference."""
RESUMES_FROM: Final = Decimal("0.01")
"""A wallet that was used up has credit again from this share of its reference, unless the credit counts."""
_ZERO: Final = Decimal(0)


class Thresholds(NamedTuple):
    """What a wallet watches. percents: of `reference`, 1 to 99, ascending, besides 0.  amounts: ascending, above zero."""

    percents: Sequence[int]
    amounts: Sequence[Decimal]
    reference: Decimal


class Fired(NamedTuple):
    """The lowest thresholds crossed and not come back from: ARMED and None are none."""

    percent: int = ARMED
    amount: Decimal | None = None


NONE_FIRED: Final = Fired()


class Edge(NamedTuple):
    """A crossing: of a percentage, or of an amount. back: up again.  resumed: back from being used up.  clear: nothing is
    crossed any more."""

    percent: int | None
    amount: Decimal | None
    back: bool = False
    resumed: bool = False
    clear: bool = False


def falls_below(threshold: Decimal, *, after: Decimal, armed: bool) -> tuple[bool, bool]:
    """Whether a balance that is `after` now has fallen below an absolute threshold since it was last told, and whether the
    threshold is armed from now on: the balance is at it or above."""
    return armed and after < threshold, after >= threshold


def credit_counts(*, reference: Decimal, before: Decimal, after: Decimal) -> bool:
    """Whether credit is large enough to start anew from: the balance after it is the new reference, and what lies below it
    can be crossed again."""
    gained = after - max(before, _ZERO)
    return after > _ZERO and (after >= reference or gained >= reference * COUNTS_FROM)


def fall(watched: Thresholds, fired: Fired, *, after: Decimal) -> tuple[Fired, Edge | None]:
    """What a balance that has fallen to `after` crosses: the lowest that it reaches and that was not crossed yet."""
    percent = _lowest_percent(watched, fired.percent, after)
    amount = None
    if watched.amounts:
        amount = next((one for one in watched.amounts if after <= one and (fired.amount is None or one < fired.amount)), None)
    if percent is None and amount is None:
        return fired, None
    now = Fired(fired.percent if percent is None else percent, fired.amount if amount is None else amount)
    if percent is None or (amount is not None and amount * 100 < watched.reference * percent):
        return now, Edge(None, amount)
    return now, Edge(percent, None)


def rise(watched: Thresholds, fired: Fired, *, after: Decimal, counts: bool) -> tuple[Fired, Edge | None]:
    """What a balance that has risen to `after` is back above. counts: by credit that counts (`credit_counts`)."""
    if fired == NONE_FIRED:
        return fired, None
    crossed = [one for one in (0, *watched.percents) if one >= fired.percent]
    amounts = [one for one in watched.amounts if fired.amount is not None and one >= fired.amount]
    left = [one for one in crossed if not _back_above_percent(watched.reference, one, after, counts=counts)]
    left_amounts = [one for one in amounts if not _back_above(one, after, counts=counts)]
    now = Fired(min(left, default=ARMED), min(left_amounts, default=None))
    if now == fired:
        return fired, None
    back = [one for one in crossed if one not in left]
    back_amounts = [one for one in amounts if one not in left_amounts]
    percent = max(back, default=None)
    amount = max(back_amounts, default=None) if percent is None else None
    if percent is None and amount is None:
        return now, None  # what was crossed is no threshold any more
    return now, Edge(percent, amount, back=True, resumed=0 in back, clear=now == NONE_FIRED)


def below(watched: Thresholds, *, balance: Decimal) -> Fired:
    """What counts as crossed by a balance whose thresholds have just been set: nobody is told of these."""
    percents = [one for one in (0, *watched.percents) if balance * 100 <= watched.reference * one]
    amounts = [one for one in watched.amounts if balance <= one]
    return Fired(min(percents, default=ARMED), min(amounts, default=None))


def _lowest_percent(watched: Thresholds, fired: int, after: Decimal) -> int | None:
    hundredfold = after * 100
    for percent in (0, *watched.percents):
        if percent >= fired:
            return None
        if hundredfold <= watched.reference * percent:
            return percent
    return None


def _back_above_percent(reference: Decimal, percent: int, after: Decimal, *, counts: bool) -> bool:
    if percent == 0 and not counts:
        return after > _ZERO and after >= reference * RESUMES_FROM
    return _back_above(reference * percent / 100, after, counts=counts)


def _back_above(level: Decimal, after: Decimal, *, counts: bool) -> bool:
    return after > level if counts else after >= level * COMES_BACK
