"""Bar charts drawn by the server: geometry only, the template writes the SVG. No script, no style attribute, so the
strictest content security policy lets it through, and it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing_site.scale import round_scale, scale_text, tenth

WIDTH: Final = 720
HEIGHT: Final = 200
TOP: Final = 12
BOTTOM: Final = 22
LEFT: Final = 52
GAP: Final = Decimal("0.28")
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
    odd_label: bool


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


def bar_chart(bars: Sequence[Bar], *, width: int = WIDTH, height: int = HEIGHT, highest: Decimal = Decimal(0)) -> BarChart:
    """Lay out bars side by side under a scale of round numbers. Negative values have no height.

    highest: the scale reaches at least so far, so that charts can be compared.
    """
    base = Decimal(height - BOTTOM)
    room = base - TOP
    highest = max(highest, *(bar.value for bar in bars), Decimal(0))
    scale = round_scale(Decimal(0), highest)
    slot = Decimal(width - LEFT) / max(len(bars), 1)
    every = max(len(bars) // LABELS, 1)
    drawn = []
    for number, bar in enumerate(bars):
        tall = room * scale.share(bar.value)
        if bar.value > 0:
            tall = max(tall, Decimal(1))
        x = LEFT + slot * number
        drawn.append(
            DrawnBar(
                label=bar.label,
                text=bar.text,
                count=bar.count,
                x=tenth(x + slot * GAP / 2),
                y=tenth(base - tall),
                width=tenth(slot * (1 - GAP)),
                height=tenth(tall),
                middle=tenth(x + slot / 2),
                slot_x=tenth(x),
                slot_width=tenth(slot),
                show_label=(len(bars) - 1 - number) % every == 0,
                odd_label=(len(bars) - 1 - number) // every % 2 == 1,
            )
        )
    lines = tuple(
        GridLine(tenth(base - room * scale.share(value)), scale_text(value, step=scale.step)) for value in scale.values()
    )
    return BarChart(width, height, LEFT, base, tuple(drawn), lines, empty=highest <= 0)
