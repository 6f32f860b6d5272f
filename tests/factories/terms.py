"""Prices to be, of every model: for tests that must hold for all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from pricing.books.model_fields import MODELS
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.schedule import DAYS
from pricing.books.validate import findings
from pricing.meters.measure import dimension_text

METERS = {"calls": True, "tokens": True}
ZONES = ("UTC", "Europe/Berlin", "America/New_York")

amounts = st.decimals(min_value=0, max_value=10**6, places=12).map(lambda amount: amount.normalize()) | st.sampled_from(
    [Decimal(0), Decimal("0.00001"), Decimal("1E+2"), Decimal("0.000000000001")]
)
# Beginnings that a spreadsheet takes for formulas, and what CSV has its own meaning for.
texts = st.one_of(
    st.sampled_from(["=1+1", "+1", "-1", "@x", "'=1", "''", '"', 'a"b', "a,b", "a;b", " a ", "ünïcode", "＝1", "true", "1"]),
    st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), min_size=1, max_size=12),
)
values = texts | st.integers(-5, 5) | st.booleans()


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


windows = st.builds(
    lambda days, begin, end: {"days": sorted(days, key=DAYS.index), "from": _clock(begin), "to": _clock(end)},
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60),
).filter(lambda one: one["from"] != one["to"])
schedules = st.none() | st.builds(
    lambda zone, some: {"time_zone": zone, "windows": some}, st.sampled_from(ZONES), st.lists(windows, min_size=1, max_size=3)
)


@st.composite
def tiers(draw: st.DrawFn, *fields: str) -> tuple[TierTerms, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 10**6), max_size=4)))
    return tuple(
        TierTerms(up_to=None if end is None else Decimal(end) / 8, **{name: draw(amounts) for name in fields})
        for end in [*ends, None]
    )


@st.composite
def model_terms(draw: st.DrawFn) -> dict[str, Any]:
    model = draw(st.sampled_from(sorted(MODELS)))
    own: dict[str, Any] = {"model": model, "unit_cost": draw(st.none() | amounts), "minimum_charge": draw(st.none() | amounts)}
    if model not in {"percentage", "dynamic"}:
        own["free_units"] = draw(st.none() | amounts)
    if model == "per_unit":
        own["unit_price"] = draw(amounts)
    elif model == "package":
        own |= {"package_size": draw(amounts.filter(bool)), "package_price": draw(amounts)}
    elif model == "percentage":
        low = draw(st.none() | amounts)
        own["percentage"] = PercentageTerms(
            rate=draw(amounts), fixed=draw(st.none() | amounts), free_events=draw(st.none() | st.integers(0, 9)),
            free_amount=draw(st.none() | amounts), minimum=low, maximum=draw(st.none() | st.just(low)),
        )  # fmt: skip
    elif model == "dynamic":
        own["price_property"] = draw(texts)
    else:
        fields = {"stairstep": ["flat_price"], "graduated_percentage": ["rate", "flat_price"]}
        own["tiers"] = draw(tiers(*fields.get(model, ["unit_price", "flat_price"])))
    return own


prices = st.builds(
    lambda meter, currency, match, schedule, own: PriceTerms(
        meter=meter, currency=currency, match=match, schedule=schedule, **own
    ),
    st.sampled_from(sorted(METERS)),
    st.sampled_from(["USD", "EUR", None]),
    st.dictionaries(texts, values, max_size=3),
    schedules,
    model_terms(),
)


@st.composite
def versions(draw: st.DrawFn, *, at_most: int = 8) -> list[PriceTerms]:
    """Prices that can stand in one version together."""
    kept: list[PriceTerms] = []
    for price in draw(st.lists(prices, min_size=1, max_size=at_most)):
        assert all(dimension_text(value) is not None for value in price.match.values())
        if not findings([*kept, price], currency="USD", meters=METERS):
            kept.append(price)
    return kept
