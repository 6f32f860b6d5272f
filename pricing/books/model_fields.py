"""Which fields a price of each model has, and what is wrong with them. Pure.

A field of another model must be left out or empty (null, zero, an empty list), so that nobody believes it has an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from wallets.input import amount_problem, name_is_fine

MAX_TIERS: Final = 100
LONGEST_PROPERTY: Final = 120
MOST_FREE_EVENTS: Final = 10**12

Problem = tuple[str, str]
"""Field -> what is expected there."""


def problems_of_model(price: PriceTerms) -> list[Problem]:
    """What is wrong with the model of a price and the fields that belong to it."""
    own = MODELS.get(price.model)
    if own is None:
        return [("model", f"one of {', '.join(MODELS)}")]
    fields, check = own
    wrong = [(name, f"left out: a price of model {price.model} has none") for name in _others(price, fields)]
    optional = {"unit_cost": price.unit_cost, "minimum_charge": price.minimum_charge}
    if "free_units" in fields:
        optional["free_units"] = price.free_units
    wrong += _amounts({name: amount for name, amount in optional.items() if amount is not None})
    return wrong + list(check(price))


def _others(price: PriceTerms, fields: frozenset[str]) -> list[str]:
    """Fields that are filled in and belong to other models."""
    filled = {
        "unit_price": price.unit_price,
        "package_size": price.package_size,
        "package_price": price.package_price,
        "free_units": price.free_units,
        "tiers": price.tiers,
        "percentage": price.percentage != PercentageTerms() and price.percentage,
        "price_property": price.price_property,
    }
    return [name for name, value in filled.items() if name not in fields and value]


def _amounts(amounts: Mapping[str, Any], below: str = "", *, above_zero: bool = False) -> list[Problem]:
    return [
        (f"{below}{name}", problem)
        for name, amount in amounts.items()
        if (problem := amount_problem(amount, above_zero=above_zero)) is not None
    ]


def _of_per_unit(price: PriceTerms) -> Iterator[Problem]:
    yield from _amounts({"unit_price": price.unit_price})


def _of_package(price: PriceTerms) -> Iterator[Problem]:
    yield from _amounts({"package_size": price.package_size}, above_zero=True)
    yield from _amounts({"package_price": price.package_price})


def _of_tiers(price: PriceTerms) -> Iterator[Problem]:
    """Every tier, and that they follow one another without overlap up to an open end."""
    if not 0 < len(price.tiers) <= MAX_TIERS:
        yield "tiers", f"1 to {MAX_TIERS} tiers"
        return
    last = len(price.tiers) - 1
    highest: Decimal | None = None
    for number, tier in enumerate(price.tiers):
        below = f"tiers.{number}."
        yield from _of_tier(price.model, tier, below)
        if number == last:
            if tier.up_to is not None:
                yield f"{below}up_to", "null: the last tier has no end"
        elif tier.up_to is None:
            yield f"{below}up_to", "a quantity: only the last tier has no end"
        elif (problem := amount_problem(tier.up_to, above_zero=True)) is not None:
            yield f"{below}up_to", problem
        elif highest is not None and tier.up_to <= highest:
            yield f"{below}up_to", f"more than {highest:f}, where the tier before ends"
        else:
            highest = tier.up_to


def _of_tier(model: str, tier: TierTerms, below: str) -> Iterator[Problem]:
    priced = TIER_FIELDS[model]
    given = {"unit_price": tier.unit_price, "flat_price": tier.flat_price, "rate": tier.rate}
    for name, amount in given.items():
        if name not in priced and amount:
            yield f"{below}{name}", f"left out: a tier of model {model} has none"
    own = {name: given[name] for name in priced}
    if all(amount is None for amount in own.values()):
        yield f"{below}{priced[0]}", "a decimal number"
    yield from _amounts({name: amount for name, amount in own.items() if amount is not None}, below)


def _of_percentage(price: PriceTerms) -> Iterator[Problem]:
    terms = price.percentage or PercentageTerms()
    amounts = {"fixed": terms.fixed, "free_amount": terms.free_amount, "minimum": terms.minimum, "maximum": terms.maximum}
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    wrong = _amounts({"rate": terms.rate, **given}, "percentage.")
    yield from wrong
    events = terms.free_events
    if events is not None and not (type(events) is int and 0 <= events <= MOST_FREE_EVENTS):
        yield "percentage.free_events", f"a whole number from 0 to {MOST_FREE_EVENTS}"
    if not wrong and terms.minimum is not None and terms.maximum is not None and terms.maximum < terms.minimum:
        yield "percentage.maximum", f"{terms.minimum:f}, the minimum, or more"


def _of_dynamic(price: PriceTerms) -> Iterator[Problem]:
    if not isinstance(price.price_property, str) or not name_is_fine(price.price_property, LONGEST_PROPERTY):
        yield "price_property", f"the property of an event that carries its price, 1 to {LONGEST_PROPERTY} characters"


TIER_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "graduated": ("unit_price", "flat_price"),
    "volume": ("unit_price", "flat_price"),
    "stairstep": ("flat_price",),
    "graduated_percentage": ("rate", "flat_price"),
}
"""Tiered model -> what a tier of it is priced by, at least one of them given; the first is named when none is."""

_TIERS: Final = (frozenset({"tiers", "free_units"}), _of_tiers)
MODELS: Final[Mapping[str, tuple[frozenset[str], Callable[[PriceTerms], Iterator[Problem]]]]] = {
    "per_unit": (frozenset({"unit_price", "free_units"}), _of_per_unit),
    "package": (frozenset({"package_size", "package_price", "free_units"}), _of_package),
    "graduated": _TIERS,
    "volume": _TIERS,
    "stairstep": _TIERS,
    "percentage": (frozenset({"percentage"}), _of_percentage),
    "graduated_percentage": _TIERS,
    "dynamic": (frozenset({"price_property"}), _of_dynamic),
}
"""Price model -> its own fields, and what is wrong with them."""
