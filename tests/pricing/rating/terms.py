"""Prices of every model: short to write down, and any that can be thought of."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hypothesis import strategies as st

from pricing.rating.explanation import Percentage, PriceTerms, Tier
from wallets.money import QUANTUM

TIERED = ("graduated", "volume", "stairstep", "graduated_percentage")
CUMULATIVE = ("per_unit", "package", *TIERED)
PER_EVENT = ("percentage", "dynamic")


def terms(model: str, /, **fields: Any) -> PriceTerms:
    """A price; amounts as text."""
    amounts = {
        name: D(value) if isinstance(value, str) and name != "price_property" else value for name, value in fields.items()
    }
    return PriceTerms(**{"id": 1, "model": model, "unit_price": D(0), "unit_cost": D(0)} | amounts)


def tiers(*lines: str) -> tuple[Tier, ...]:
    """Tiers as lines: `1000 0.02 + 5` is up to 1,000 at 0.02 each and 5 once; `- 0.01` has no end."""
    found = []
    for line in lines:
        up_to, price, *flat = line.replace("+", "").split()
        found.append(Tier(None if up_to == "-" else D(up_to), D(price), D(flat[0]) if flat else D(0)))
    return tuple(found)


def shares(*lines: str) -> tuple[Tier, ...]:
    """Tiers in percent."""
    return tuple(Tier(tier.up_to, D(0), tier.flat_price, tier.unit_price) for tier in tiers(*lines))


# Numbers at which mistakes show: borders, the last decimal, halves of it.
SMALL = st.sampled_from(["0", "0.000000000001", "0.0000000005", "0.5", "1", "2.5", "7", "100", "1000"]).map(D)
AMOUNTS = SMALL | st.integers(0, 10**15).map(lambda units: D(units) * QUANTUM) | st.integers(0, 10**6).map(D)
ABOVE_ZERO = AMOUNTS.filter(bool)
QUANTITIES = st.integers(0, 2_000) | AMOUNTS | st.sampled_from(["99.5", "100", "100.5", "0.333333333333"]).map(D)


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Up to four tiers."""
    ends: list[Any] = sorted(draw(st.sets(ABOVE_ZERO, max_size=3)))
    return tuple(Tier(end, draw(AMOUNTS), draw(AMOUNTS), draw(AMOUNTS)) for end in [*ends, None])


@st.composite
def any_terms(draw: st.DrawFn, *models: str, minimum: bool = False) -> PriceTerms:
    """Any price of one of the models."""
    model = draw(st.sampled_from(models))
    fields: dict[str, Any] = {"unit_cost": draw(AMOUNTS)}
    if model not in PER_EVENT:
        fields["free_units"] = draw(st.just(D(0)) | AMOUNTS)
    if model == "per_unit":
        fields["unit_price"] = draw(AMOUNTS)
    elif model == "package":
        fields |= {
            "package_size": draw(ABOVE_ZERO.filter(lambda size: size >= QUANTUM * 10**9)),
            "package_price": draw(AMOUNTS),
        }
    elif model in TIERED:
        fields["tiers"] = draw(tier_lists())
    elif model == "percentage":
        low, high = sorted((draw(AMOUNTS), draw(AMOUNTS)))
        fields["percentage"] = Percentage(
            draw(AMOUNTS), draw(AMOUNTS), draw(st.none() | st.integers(0, 4)), draw(st.none() | AMOUNTS),
            draw(st.none() | st.just(low)), draw(st.none() | st.just(high)),
        )  # fmt: skip
    else:
        fields["price_property"] = "price"
    if minimum:
        fields["minimum_charge"] = draw(ABOVE_ZERO)
    return terms(model, **fields)
