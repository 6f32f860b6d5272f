"""A stepped line with marks on it, drawn by the server: geometry only, the template writes the SVG. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from billing_site.scale import round_scale, scale_text, tenth

WIDTH: Final = 420
HEIGHT: Final = 170
TOP: Final = 10
BOTTOM: Final = 22
LEFT: Final = 48


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across (at `y`) or a word below (at `x`)."""

    x: Decimal
    y: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class StepChart:
    """A drawing of `width` by `height` units; `line` and `area` are SVG path data."""

    width: int
    height: int
    left: int
    start: datetime
    line: str
    area: str
    zero: Decimal
    levels: tuple[Mark, ...]
    ends: tuple[Mark, ...]
    marks: tuple[Mark, ...] = ()


def step_chart(
    steps: Sequence[tuple[datetime, Decimal]],
    *,
    until: datetime,
    label: Callable[[datetime], str],
    width: int = WIDTH,
    height: int = HEIGHT,
    marks: Sequence[tuple[datetime, str]] = (),
) -> StepChart | None:
    """The line through `steps` (time, level; oldest first), each level kept until the next, the last until `until`.

    label: words for the two ends. marks: what happened when, in words; each stands on the line. None for fewer than two
    steps or no time between them.
    """
    if len(steps) < 2 or until <= steps[0][0]:  # noqa: PLR2004 - one level is no line
        return None
    start = steps[0][0]
    scale = round_scale(min(level for _, level in steps), max(level for _, level in steps))
    room, base, span = (
        Decimal(height - TOP - BOTTOM),
        Decimal(height - BOTTOM),
        (until - start) // timedelta(seconds=1) or 1,
    )

    def x_of(moment: datetime) -> Decimal:
        seconds = min(max((moment - start) // timedelta(seconds=1), 0), span)
        return tenth(LEFT + Decimal(width - LEFT) * seconds / span)

    def y_of(level: Decimal) -> Decimal:
        return tenth(base - room * scale.share(level))

    path = [f"M{x_of(start)} {y_of(steps[0][1])}"]
    for moment, level in steps[1:]:
        path.append(f"H{x_of(moment)}V{y_of(level)}")
    line = "".join(path) + f"H{width}"
    zero = y_of(Decimal(0))
    return StepChart(
        width=width,
        height=height,
        left=LEFT,
        start=start,
        line=line,
        area=f"{line}V{zero}H{LEFT}Z",
        zero=zero,
        levels=tuple(Mark(Decimal(LEFT - 8), y_of(value), scale_text(value, step=scale.step)) for value in scale.values()),
        ends=(
            Mark(Decimal(LEFT), Decimal(height - 4), label(start)),
            Mark(Decimal(width), Decimal(height - 4), label(until)),
        ),
        marks=tuple(Mark(x_of(moment), y_of(_level_at(steps, moment)), text) for moment, text in marks),
    )


def _level_at(steps: Sequence[tuple[datetime, Decimal]], moment: datetime) -> Decimal:
    return next((level for at, level in reversed(steps) if at <= moment), steps[0][1])
