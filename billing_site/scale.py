"""Round numbers beside a chart. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from wallets.amount_text import MINUS

STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high` in `step`s, all round; zero is always on it."""

    low: Decimal
    high: Decimal
    step: Decimal

    def values(self) -> list[Decimal]:
        """Where lines go across, from the lowest."""
        count = int((self.high - self.low) / self.step)
        return [self.low + self.step * number for number in range(count + 1)]

    def share(self, value: Decimal) -> Decimal:
        """How far up `value` is: 0 at the bottom, 1 at the top; what is outside is at the edge."""
        return (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def round_scale(lowest: Decimal, highest: Decimal) -> Scale:
    """A scale of about LINES steps that holds zero and both values."""
    low, high = min(lowest, Decimal(0)), max(highest, Decimal(0))
    if low == high:
        return Scale(Decimal(0), Decimal(1), Decimal(1))
    least = (high - low) / LINES
    power = Decimal(1).scaleb(least.adjusted())
    step = next(one * power for one in STEPS if one * power >= least)
    bottom = (low / step).to_integral_value(rounding=ROUND_FLOOR) * step
    top = (high / step).to_integral_value(rounding=ROUND_CEILING) * step
    return Scale(bottom, top, step)


def scale_text(value: Decimal, *, step: Decimal) -> str:
    """A number of a scale with this step, all with as many decimals as the step: `1,500`, `0.25`; zero is `0`."""
    if value == 0:
        return "0"
    places = max(-int(step.normalize().as_tuple().exponent), 0)
    places = max(places, 2) if places else 0  # as amounts are written: none, or at least two
    return f"{value:,.{places}f}".replace("-", MINUS)


def tenth(value: Decimal) -> Decimal:
    """A coordinate, to a tenth of a unit."""
    return value.quantize(Decimal("0.1"))
