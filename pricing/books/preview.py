"""What usage would cost at a price that is stored nowhere: exact, not rounded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pricing.books.price_terms import PriceTerms
from pricing.books.stored_terms import rated_terms
from pricing.books.validate import PricesRefused, problems_of_terms
from pricing.meters.quantity import NotAQuantity, quantity_of
from pricing.rating.explanation import TierUsed
from pricing.rating.rate import exact_of
from pricing.rating.tiers_used import tiers_used
from wallets.errors import InvalidInput
from wallets.input import Input
from wallets.money import ZERO

MAX_USAGE: Final = 10_000
REFUSED: Final = "This cannot be previewed."


class Usage(NamedTuple):
    """An event: its quantity, and the properties a dynamic price reads."""

    quantity: Decimal
    properties: Mapping[str, Any]


class PreviewedCharge(NamedTuple):
    """What an event would be charged, exactly, and the tiers that say why (none for a model without)."""

    quantity: Decimal
    amount: Decimal
    tiers: tuple[TierUsed, ...]


def preview_charges(*, price: PriceTerms, usage: Sequence[Usage], prior_quantity: Decimal = ZERO) -> list[PreviewedCharge]:
    """The charges of these events of one period, one after the other.

    price: its meter need not exist.  prior_quantity: what was used before in the period; the events of a percentage are
    counted from the first one here.  Raises PricesRefused (`price.…`), InvalidInput (`usage.…`, `prior_quantity`).
    """
    check = Input()
    if price.currency is not None:
        check.currency(price.currency, "price.currency")
    for field, expected in problems_of_terms(price):
        check.expect(f"price.{field}", False, expected)
    if check.wrong:
        raise PricesRefused("The price is not acceptable.", fields=check.wrong)
    check.amount("prior_quantity", prior_quantity)
    check.expect("usage", len(usage) <= MAX_USAGE, f"at most {MAX_USAGE} events")
    for number, used in enumerate(usage):
        check.amount(f"usage.{number}.quantity", used.quantity)
    check.refuse(REFUSED)
    terms = rated_terms(price)
    exact = exact_of(terms)
    total, charges = prior_quantity, list[PreviewedCharge]()
    for number, (quantity, properties) in enumerate(usage):
        own_price = _own_price(terms.price_property, properties, number)
        try:
            amount = exact(quantity, total, number, own_price)
        except OverflowError as error:
            raise InvalidInput(REFUSED, fields={f"usage.{number}.quantity": str(error)}) from None
        charges.append(PreviewedCharge(quantity, amount, tiers_used(terms, quantity, total)))
        total += quantity
    return charges


def _own_price(name: str, properties: Mapping[str, Any], number: int) -> Decimal | int | None:
    """The price the event carries, of a dynamic price."""
    if not name:
        return None
    field = f"usage.{number}.properties.{name}"
    if properties.get(name) is None:
        raise InvalidInput(REFUSED, fields={field: "the price of the event"})
    try:
        return quantity_of(properties[name], name=name)
    except NotAQuantity as error:
        raise InvalidInput(REFUSED, fields={field: str(error)}) from None
