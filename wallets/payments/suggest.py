"""Which amounts to offer for a top-up: about a week and about a month at the pace of use, beside the usual ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from wallets.money import EXACT

WEEK: Final = Decimal(7)
MONTH: Final = Decimal(30)
# A usual amount is offered when it lasts between these many days.
SHORTEST: Final = Decimal(1)
LONGEST: Final = Decimal(180)
_ROUND: Final = tuple(Decimal(step) for step in ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10"))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An amount to offer. days: how long it lasts at the present pace; None when that is not known."""

    amount: Decimal
    days: Decimal | None


def suggest_amounts(
    *, usual: Sequence[Decimal], minimum: Decimal, maximum: Decimal, step: Decimal, per_day: Decimal | None
) -> list[Suggestion]:
    """The amounts to offer, ascending, each between `minimum` and `maximum` and a multiple of `step`.

    usual: the amounts on offer whatever the pace.  per_day: what a day costs at the present pace; None or zero: unknown.
    """
    if not per_day or per_day <= 0:
        return [Suggestion(one, None) for one in usual]
    needed = {min(max(_round_up(per_day * days, step), minimum), maximum) for days in (WEEK, MONTH)}
    fitting = {one for one in usual if SHORTEST <= EXACT.divide(one, per_day) <= LONGEST}
    return [Suggestion(one, EXACT.divide(one, per_day)) for one in sorted(needed | fitting)]


def _round_up(amount: Decimal, step: Decimal) -> Decimal:
    """The next amount a person would choose: 13.10 a day is 91.70 a week, so 100."""
    power = Decimal(1).scaleb(amount.adjusted())
    rounded = next(power * one for one in _ROUND if power * one >= amount)
    return EXACT.divide(rounded, step).quantize(Decimal(1), rounding=ROUND_CEILING, context=EXACT) * step
