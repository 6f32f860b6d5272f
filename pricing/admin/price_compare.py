"""Two versions side by side: what is added, removed and changed, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from pricing.admin.price_text import said_lines
from pricing.books.diff import PriceChange, VersionDiff, diff_prices
from pricing.books.models import PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.price_text import schedule_text
from pricing.books.queries import terms_of_version
from pricing.meters.models import Meter
from wallets.amount_text import unit_price_text
from wallets.money import ZERO

MOST_SHOWN: Final = 300
KINDS: Final = {"changed": "soon", "added": "good", "removed": "bad"}


class Side(NamedTuple):
    """A price on one side."""

    lines: tuple[str, ...]
    cost: str
    schedule: str


class ComparedPrice(NamedTuple):
    """A price that differs. chip: the colour of its kind."""

    kind: str
    chip: str
    meter: str
    match: tuple[tuple[str, str], ...]
    currency: str
    old: Side | None
    new: Side | None


class Comparison(NamedTuple):
    """What differs between two versions; `more` prices are not shown."""

    prices: list[ComparedPrice]
    added: int
    removed: int
    changed: int
    unchanged: int
    more: int


def compare(before: PriceVersion | None, after: PriceVersion) -> Comparison:
    """The second version against the first; without one everything is added."""
    diff = diff_prices(terms_of_version(before) if before else [], terms_of_version(after))
    units = dict(Meter.objects.values_list("code", "unit"))
    prices = [*_compared(diff, units)]
    return Comparison(
        prices=prices[:MOST_SHOWN],
        added=len(diff.added),
        removed=len(diff.removed),
        changed=len(diff.changed),
        unchanged=diff.unchanged,
        more=max(0, len(prices) - MOST_SHOWN),
    )


def change_name(price: ComparedPrice) -> str:
    """A price that differs, in one line."""
    return " ".join(part for part in (price.meter, ", ".join(f"{name} = {value}" for name, value in price.match)) if part)


def side_text(side: Side | None) -> str:
    """One side in one line."""
    if side is None:
        return "no price"
    return "; ".join(part for part in (*side.lines, side.schedule) if part)


def _compared(diff: VersionDiff, units: dict[str, str]) -> Iterable[ComparedPrice]:
    for kind, changes in (("changed", diff.changed), ("added", diff.added), ("removed", diff.removed)):
        for change in changes:
            yield _price(kind, change, units.get(change.price.meter, ""))


def _price(kind: str, change: PriceChange, unit: str) -> ComparedPrice:
    price = change.price
    return ComparedPrice(
        kind=kind,
        chip=KINDS[kind],
        meter=price.meter,
        match=tuple(sorted(price.match.items())),
        currency=price.currency or "",
        old=_side(change.old, unit),
        new=_side(change.new, unit),
    )


def _side(terms: PriceTerms | None, unit: str) -> Side | None:
    if terms is None:
        return None
    cost = unit_price_text(terms.unit_cost or ZERO, terms.currency or "", unit) if terms.unit_cost else ""
    return Side(said_lines(terms, unit), cost, schedule_text(terms))
