"""What is left of an allowance at the end of a period, and what of it goes on into the next. Pure.

Rules: `none` lets nothing go on, `full` everything, `capped` at most `cap` units in all. With `periods`, units go on for at
most so many periods after the one they were granted in. Where the cap cuts, the units granted last go on: those are the
ones that can go on longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from wallets.money import ZERO


class RollOver(StrEnum):
    """Which units go on."""

    NONE = "none"
    CAPPED = "capped"
    FULL = "full"


class Rule(NamedTuple):
    """How an allowance rolls over. cap: units, for `capped`. periods: None is without end."""

    mode: str
    cap: Decimal | None = None
    periods: int | None = None


class Leftover(NamedTuple):
    """Units that were not used, granted in period `origin`; `lot`: the row id of the lot that held them (None: no lot)."""

    origin: int
    quantity: Decimal
    lot: int | None = None


def roll_over(rule: Rule, leftovers: Sequence[Leftover], *, into: int) -> list[Leftover]:
    """What of `leftovers` goes on into period `into`, oldest first, each with the lot it comes from."""
    if rule.mode == RollOver.NONE:
        return []
    able = [one for one in leftovers if one.quantity > ZERO and (rule.periods is None or into - one.origin <= rule.periods)]
    able.sort(key=lambda one: one.origin)
    if rule.mode == RollOver.FULL:
        return able
    assert rule.cap is not None, rule
    room = rule.cap
    going: list[Leftover] = []
    for one in reversed(able):
        part = min(one.quantity, room)
        room -= part
        if part > ZERO:
            going.append(one._replace(quantity=part))
    return going[::-1]
