"""What a call that has not happened yet would cost, at the prices its event would be rated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pricing.books.in_force import catalogue_in_force
from pricing.meters.measure import NotAQuantity, quantity_of
from pricing.rating.explanation import PriceTerms
from pricing.rating.rate import rate
from wallets.errors import InvalidInput
from wallets.money import ZERO


class UnknownType(InvalidInput):
    """No meter measures events of this type."""

    code = "unknown_type"


@dataclass(frozen=True, slots=True)
class Estimate:
    """amount: None when no price fits yet; such an event would be kept and charged later."""

    amount: Decimal | None
    currency: str | None


def price_estimate(*, account_id: int, event_type: str, properties: Mapping[str, Any], at: datetime) -> Estimate:
    """Price an event of this type and these properties as if it happened now. Stores nothing.

    Raises UnknownType, and InvalidInput naming the property that cannot be measured.
    """
    catalogue = catalogue_in_force()
    if event_type not in catalogue.meters:
        raise UnknownType(f"No meter measures events of type {event_type[:120]}.", fields={"type": "a type with a meter"})
    catalogue.read_assignments([account_id])
    version = catalogue.version_in_force(account_id, at)
    if version is None:
        return Estimate(None, None)
    plan = version.plan(event_type, catalogue)
    total = ZERO
    for line in version.lines(plan, tuple(properties.get(name) for name in plan.keys)):
        value = 1 if line.property is None else properties.get(line.property)
        if value is None:
            continue
        if line.price is None:
            return Estimate(None, version.currency)
        total += _amount(line.price, value, line.property)
    return Estimate(total, version.currency)


def _amount(price: PriceTerms, value: Any, name: str | None) -> Decimal:
    try:
        amount, _, _ = rate(price, quantity_of(value, name=name or ""))
    except NotAQuantity as error:
        raise InvalidInput("The call cannot be estimated.", fields={f"properties.{name}": str(error)}) from None
    except OverflowError:
        raise InvalidInput("The call cannot be estimated.", fields={f"properties.{name}": "is too large"}) from None
    return amount
