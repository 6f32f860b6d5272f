"""Lays out the bar that says what a balance is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django import template

from wallets.credit.lot_rows import KindTotal

register = template.Library()

WIDTH: Final = 1000
STYLES: Final[dict[str, str]] = {"paid": "", "promotional": "second"}


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the bar, of WIDTH units in all."""

    label: str
    amount: Decimal
    style: str
    x: Decimal
    width: Decimal


@register.simple_tag
def composition_parts(kinds: Sequence[KindTotal], overdraft: Decimal) -> list[Part]:
    """The stretches: each kind of credit, then what is owed."""
    amounts = [(kind.label, kind.remaining, STYLES.get(kind.kind, "third")) for kind in kinds]
    if overdraft:
        amounts.append(("Overdraft", -overdraft, "owed"))
    whole = sum((abs(amount) for _, amount, _ in amounts), Decimal(0))
    parts: list[Part] = []
    x = Decimal(0)
    for label, amount, style in amounts:
        width = abs(amount) * WIDTH / whole if whole else Decimal(0)
        parts.append(Part(label, amount, style, x, width))
        x += width
    return parts
