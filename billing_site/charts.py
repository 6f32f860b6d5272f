"""Bar charts drawn by the server: geometry only, the template writes the SVG. No script, no style attribute, so the
strictest content security policy lets it through, and it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from wallets.amount_text import exact_text

WIDTH: Final = 720
HEIGHT: Final = 200
TOP: Final = 12
BOTTOM: Final = 22
LEFT: Final = 52
GAP: Final = Decimal("0.28")
STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
LINES: Final = 4
LABELS: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is called, how high, its amount in words, and how many things it adds up."""

    label: str
    value: Decimal
    text: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar in the drawing's units, origin at the top left."""

    label: str
    text: str
    count: int
    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal
    middle: Decimal
    slot_x: Decimal
    slot_width: Decimal
    show_label: bool


@dataclass(frozen=True, slots=True)
class GridLine:
    """A line across with its amount."""

    y: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """A drawing of `width` by `height` units."""

    width: int
    height: int
    left: int
    base: Decimal
    bars: tuple[DrawnBar, ...]
    lines: tuple[GridLine, ...]
    empty: bool


def bar_chart(bars: Sequence[Bar], *, width: int = WIDTH, height: int = HEIGHT) -> BarChart:
    """Lay out bars side by side under a scale of round numbers. Negative values have no height."""
    base = Decimal(height - BOTTOM)
    room = base - TOP
    highest = max((bar.value for bar in bars), default=Decimal(0))
    step = _round_step(highest / LINES) if highest > 0 else Decimal(1)
    count = int((highest / step).to_integral_value(rounding=ROUND_CEILING)) or 1
    top = step * count
    slot = Decimal(width - LEFT) / max(len(bars), 1)
    every = max(len(bars) // LABELS, 1)
    drawn = []
    for number, bar in enumerate(bars):
        tall = max(bar.value, Decimal(0)) / top * room
        if bar.value > 0:
            tall = max(tall, Decimal(1))
        x = LEFT + slot * number
        drawn.append(
            DrawnBar(
                label=bar.label,
                text=bar.text,
                count=bar.count,
                x=_tenth(x + slot * GAP / 2),
                y=_tenth(base - tall),
                width=_tenth(slot * (1 - GAP)),
                height=_tenth(tall),
                middle=_tenth(x + slot / 2),
                slot_x=_tenth(x),
                slot_width=_tenth(slot),
                show_label=(len(bars) - 1 - number) % every == 0,
            )
        )
    lines = tuple(GridLine(_tenth(base - room * line / count), _scale_text(step * line)) for line in range(count + 1))
    return BarChart(width, height, LEFT, base, tuple(drawn), lines, empty=highest <= 0)


def _round_step(least: Decimal) -> Decimal:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least this."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(step * power for step in STEPS if step * power >= least)


def _scale_text(value: Decimal) -> str:
    text = exact_text(value, "")
    cents = "" if text.cents.strip(".0") == "" else text.cents
    return f"{text.units}{cents}"


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"))
