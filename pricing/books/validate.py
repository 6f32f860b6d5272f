"""Are these prices a price book's version? Every finding names its row and field. Pure.

Two prices of a meter that could match one event equally well are refused, so that the most specific match is always one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pricing.books.ambiguous import ambiguous_rows, candidate
from pricing.books.model_fields import problems_of_model
from pricing.books.price_terms import PriceTerms as PriceTerms
from pricing.books.schedule import schedule_problems, stored_schedule
from pricing.meters.measure import dimension_text
from wallets.errors import InvalidInput
from wallets.input import CURRENCY, CURRENCY_EXPECTED, name_is_fine

MAX_PRICES: Final = 10_000
MAX_MATCH: Final = 10
LONGEST_NAME: Final = 120
LONGEST_VALUE: Final = 255
MAX_FINDINGS: Final = 100


class Finding(NamedTuple):
    """What is wrong with one field of one row (counted from 0)."""

    row: int
    field: str
    expected: str

    @property
    def name(self) -> str:
        """As the wire names it: `prices.3.unit_price`."""
        return f"prices.{self.row}.{self.field}"


class PricesRefused(InvalidInput):
    """Some prices are not acceptable; each is named by row and field."""

    code = "invalid_prices"


def check_prices(prices: Sequence[PriceTerms], *, currency: str, meters: Mapping[str, bool]) -> None:
    """Raise PricesRefused unless these prices can stand in one version of a book; those that name no currency are in its
    `currency`.

    meters: code -> whether it still measures (not archived).
    """
    if not prices:
        raise PricesRefused("A version needs at least one price.", fields={"prices": "at least one price"})
    if len(prices) > MAX_PRICES:
        raise PricesRefused(f"A version has at most {MAX_PRICES} prices.", fields={"prices": f"at most {MAX_PRICES}"})
    found = findings(prices, currency=currency, meters=meters)
    if found:
        more = f" (the first {MAX_FINDINGS} of {len(found)} are named)" if len(found) > MAX_FINDINGS else ""
        fields: dict[str, str] = {}
        for one in found[:MAX_FINDINGS]:
            fields.setdefault(one.name, one.expected)
        raise PricesRefused(f"Some prices are not acceptable{more}.", fields=fields)


def findings(prices: Sequence[PriceTerms], *, currency: str, meters: Mapping[str, bool]) -> list[Finding]:
    """Everything that is wrong, in row order."""
    found = [
        Finding(row, name, expected) for row, price in enumerate(prices) for name, expected in _of_one(price, meters=meters)
    ]
    faulty = {one.row for one in found}
    found += _ambiguous([(row, price) for row, price in enumerate(prices) if row not in faulty], currency)
    return sorted(found, key=lambda one: one.row)


def match_texts(match: Mapping[str, Any]) -> dict[str, str]:
    """A match with its values as text, the form in which they are stored and compared."""
    return {name: text for name, value in match.items() if (text := dimension_text(value)) is not None}


def _of_one(price: PriceTerms, *, meters: Mapping[str, bool]) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    if price.meter not in meters:
        wrong.append(("meter", "the code of a meter"))
    elif not meters[price.meter]:
        wrong.append(("meter", "a meter that is not archived"))
    return wrong + problems_of_terms(price)


def problems_of_terms(price: PriceTerms) -> list[tuple[str, str]]:
    """What is wrong with a price in itself, wherever it may stand: field -> what is expected there."""
    wrong: list[tuple[str, str]] = []
    if price.currency is not None and not CURRENCY.fullmatch(price.currency):
        wrong.append(("currency", CURRENCY_EXPECTED))
    wrong += _of_match(price.match)
    schedule = schedule_problems(price.schedule or {})
    wrong += [(f"schedule.{name}" if name else "schedule", expected) for name, expected in schedule]
    return wrong + problems_of_model(price)


def _of_match(match: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not isinstance(match, Mapping):
        return [("match", "an object: property -> value")]
    if len(match) > MAX_MATCH:
        return [("match", f"at most {MAX_MATCH} properties")]
    wrong: list[tuple[str, str]] = []
    for name, value in match.items():
        text = dimension_text(value)
        if not name_is_fine(name, LONGEST_NAME):
            wrong.append(("match", f"property names of 1 to {LONGEST_NAME} characters"))
        elif text is None or not name_is_fine(text, LONGEST_VALUE):
            wrong.append((f"match.{name}", f"a text of 1 to {LONGEST_VALUE} characters, a number or a boolean"))
    return wrong


def _ambiguous(prices: Collection[tuple[int, PriceTerms]], currency: str) -> list[Finding]:
    """Pairs of prices that one event could match equally well; each row is named once."""
    rows = [
        candidate(row, price.meter, price.currency or currency, match_texts(price.match), stored_schedule(price.schedule))
        for row, price in prices
    ]
    return [
        Finding(row, "schedule", f"windows in one time zone that share no minute with row {other}")
        if scheduled
        else Finding(row, "match", f"a match that no event shares with row {other}: one more or one other property or value")
        for row, (other, scheduled) in ambiguous_rows(rows).items()
    ]
