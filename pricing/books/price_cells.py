"""A price as cells: column -> text, as a table, a file and a form have it. Reading names every cell that is wrong. Pure.

Columns: `meter`, `currency`, `model`, amounts by their names, `match.<property>`, `schedule.time_zone`, `schedule.windows`,
`percentage.<part>`, `tier.<number>.<part>` (from 1). An empty cell says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.schedule import windows_of_text, windows_text
from wallets.money import plain

TEXTS: Final = ("meter", "currency", "model", "price_property")
AMOUNTS: Final = ("unit_price", "unit_cost", "minimum_charge", "free_units", "package_size", "package_price")
PERCENTAGE: Final = ("rate", "fixed", "free_events", "free_amount", "minimum", "maximum")
TIER: Final = ("up_to", "unit_price", "flat_price", "rate")
MOST_TIERS: Final = 100
LONGEST_CELL: Final = 10_000
DECIMAL_EXPECTED: Final = "a decimal number such as 0.00001"

# A spreadsheet writes 0.00001 as 1E-05, which is the same number.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_TIER_COLUMN: Final = re.compile(r"tier\.([1-9][0-9]{0,2})\.(\w+)", re.ASCII)

Problem = tuple[str, str]
"""Column -> what is expected there."""


def column_is_known(column: str) -> bool:
    """Is this the name of a column of prices?"""
    if column in TEXTS or column in AMOUNTS or column in {"schedule.time_zone", "schedule.windows"}:
        return True
    if column.startswith("match."):
        return len(column) > len("match.")
    if column.startswith("percentage."):
        return column.removeprefix("percentage.") in PERCENTAGE
    tier = _TIER_COLUMN.fullmatch(column)
    return tier is not None and int(tier[1]) <= MOST_TIERS and tier[2] in TIER


def cells_of(terms: PriceTerms) -> dict[str, str]:
    """The cells of a price that say something, in the order of the columns. `terms` are as stored: its match as texts, its
    schedule in the stored form."""
    cells = {"meter": terms.meter, "currency": terms.currency or ""}
    cells |= {f"match.{name}": text for name, text in sorted(terms.match.items())}
    if terms.schedule:
        cells["schedule.time_zone"] = terms.schedule["time_zone"]
        cells["schedule.windows"] = windows_text(terms.schedule)
    cells["model"] = terms.model
    for name in AMOUNTS:
        amount = getattr(terms, name)
        needed = (name == "unit_price" and terms.model == "per_unit") or (name == "package_price" and terms.model == "package")
        if amount is not None and (amount or needed or name == "minimum_charge"):
            cells[name] = plain(amount)
    cells["price_property"] = terms.price_property or ""
    if terms.percentage is not None:
        cells |= {f"percentage.{name}": _text(getattr(terms.percentage, name)) for name in PERCENTAGE}
    for number, tier in enumerate(terms.tiers, start=1):
        cells |= {f"tier.{number}.{name}": _text(getattr(tier, name)) for name in TIER}
    return {column: text for column, text in cells.items() if text}


def terms_of_cells(cells: Mapping[str, str]) -> tuple[PriceTerms, list[Problem]]:
    """The price that cells put forward, and what cannot be read. What can be read may still not be acceptable."""
    wrong: list[Problem] = []
    said = {column: text for column, raw in cells.items() if (text := raw if _is_exact(column) else raw.strip())}
    for column, text in said.items():
        if not column_is_known(column):
            wrong.append((column, "no such column"))
        elif len(text) > LONGEST_CELL:
            wrong.append((column, f"at most {LONGEST_CELL} characters"))
    match = {column.removeprefix("match."): text for column, text in said.items() if column.startswith("match.")}
    terms = PriceTerms(
        meter=said.get("meter", ""),
        currency=said.get("currency"),
        model=said.get("model", "per_unit"),
        price_property=said.get("price_property"),
        match=match,
        schedule=_schedule(said, wrong),
        tiers=_tiers(said, wrong),
        percentage=_percentage(said, wrong),
        **{name: _amount(said, name, wrong) for name in AMOUNTS},
    )
    return terms, wrong


def column_of_field(field: str) -> str:
    """The column in which a field of a price stands: `tiers.0.up_to` is in `tier.1.up_to`."""
    parts = field.split(".", 2)
    if parts[0] == "tiers":
        return "tier.1.up_to" if len(parts) < 3 else f"tier.{int(parts[1]) + 1}.{parts[2]}"  # noqa: PLR2004 - tiers, number, part
    if parts[0] == "schedule":
        return "schedule.time_zone" if field in ("schedule", "schedule.time_zone") else "schedule.windows"
    if field == "percentage":
        return "percentage.rate"
    return field


def _is_exact(column: str) -> bool:
    """A property's name or value may begin or end with a space."""
    return column.startswith("match.") or column == "price_property"


def _amount(said: Mapping[str, str], column: str, wrong: list[Problem]) -> Decimal | None:
    text = said.get(column)
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text):
        wrong.append((column, DECIMAL_EXPECTED))
        return None
    return Decimal(text)


def _schedule(said: Mapping[str, str], wrong: list[Problem]) -> dict[str, Any] | None:
    zone, windows = said.get("schedule.time_zone"), said.get("schedule.windows")
    if zone is None and windows is None:
        return None
    read = windows_of_text(windows or "")
    if read is None:
        wrong.append(("schedule.windows", "windows such as mon-fri 08:00-20:00; sat 10:00-14:00"))
        return None
    return {"time_zone": zone or "", "windows": read}


def _tiers(said: Mapping[str, str], wrong: list[Problem]) -> tuple[TierTerms, ...]:
    found: dict[int, dict[str, Decimal | None]] = {}
    for column in said:
        tier = _TIER_COLUMN.fullmatch(column)
        if tier is not None and column_is_known(column):
            found.setdefault(int(tier[1]), {})[tier[2]] = _amount(said, column, wrong)
    numbers = sorted(found)
    gap = next((number for number in range(1, len(numbers) + 1) if number not in found), None)
    if gap is not None:
        wrong.append((f"tier.{gap}.up_to", f"a tier: there is a tier {numbers[-1]}"))
    return tuple(TierTerms(**found[number]) for number in numbers)


def _percentage(said: Mapping[str, str], wrong: list[Problem]) -> PercentageTerms | None:
    given = [name for name in PERCENTAGE if f"percentage.{name}" in said]
    if not given:
        return None
    amounts = {name: _amount(said, f"percentage.{name}", wrong) for name in given if name != "free_events"}
    events = said.get("percentage.free_events")
    if events is not None and not _WHOLE.fullmatch(events):
        wrong.append(("percentage.free_events", "a whole number"))
        events = None
    return PercentageTerms(free_events=None if events is None else int(events), **amounts)


def _text(value: Decimal | int | None) -> str:
    return "" if value is None else plain(value) if isinstance(value, Decimal) else str(value)
