"""Rate one event: which version, which lines, which quantities, which amounts. In memory, exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from metering.ingest.accounts import AccountView
from metering.ingest.decode import UsageInput
from metering.ingest.models import DeadLetter
from pricing.books.in_force import Catalogue, Line, VersionView
from pricing.meters.measure import LARGEST_WHOLE, NotAQuantity, Quantity, quantity_of
from pricing.rating.rate import rate
from wallets.money import ZERO

Reason = DeadLetter.Reason


class Unusable(ValueError):
    """The event cannot be measured; the message names the property."""


ItemCharge = tuple[Line, Quantity, Decimal, Decimal]
"""One meter's part of an event: the line, what was counted, what it costs the customer, what it costs us."""


class Item(Struct, gc=False):
    """An event on its way through a batch, and what became of it."""

    request: int
    index: int
    event: UsageInput
    account: AccountView
    time: datetime
    charges: Sequence[ItemCharge] = ()
    amount: Decimal = ZERO
    currency: str = ""
    wallet_id: int = 0
    row_id: int = 0
    time_us: int = 0
    parked: tuple[str, str] | None = None
    refused: tuple[str, str] | None = None
    duplicate: bool = False


def rate_item(  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call a charge would cost as much as the charge
    item: Item, properties: dict[str, Any], version: VersionView | None, catalogue: Catalogue
) -> None:
    """Fill in the item's charges at `version`'s prices, or why it has to wait for a price (`parked`).

    Raises Unusable when a measured property is not a quantity.
    """
    charges: list[ItemCharge] = []
    item.charges, item.amount, item.currency, item.wallet_id = charges, ZERO, "", 0
    item.parked = item.refused = None
    item.duplicate = False
    if version is None:
        item.parked = (Reason.NO_PRICE, "The account had no published price book at the event's time.")
        return
    plan = version.plans.get(item.event.type) or version.plan(item.event.type, catalogue)
    values = tuple(map(properties.get, plan.keys))
    try:
        lines = plan.lines.get(values)
    except TypeError:  # a list or an object where a text was expected
        lines = None
    if lines is None:
        lines = version.lines(plan, values)
    total = ZERO
    for line in lines:
        name = line.property
        if name is None:
            quantity: Quantity = 1
        else:
            value = properties.get(name)
            if value is None:
                continue
            if type(value) is int and 0 <= value <= LARGEST_WHOLE:  # as quantity_of says, without the call
                quantity = value
            else:
                try:
                    quantity = quantity_of(value, name=name)
                except NotAQuantity as error:
                    raise Unusable(str(error)) from None
        if line.rate is None:
            charges.clear()
            item.parked = (Reason.NO_PRICE, f"No price of version {version.number} fits meter {line.meter} for this event.")
            return
        try:
            rated = line.rate(quantity)
            if rated is None:
                assert line.price is not None, "a line with a rate has a price"
                rated = rate(line.price, quantity)
            amount, cost, _ = rated
        except OverflowError:
            raise Unusable(f"The charge on meter {line.meter} is too large.") from None
        except NotAQuantity as error:
            raise Unusable(str(error)) from None
        total += amount
        charges.append((line, quantity, amount, cost))
    if not charges:
        item.parked = (Reason.NO_QUANTITY, "None of the meters of this type found a property to measure.")
        return
    item.currency = version.currency
    wallet_id = item.account.wallets.get(version.currency)
    if wallet_id is None:
        item.charges = []
        item.parked = (Reason.NO_WALLET, f"The account has no wallet in {version.currency}.")
        return
    item.wallet_id = wallet_id
    item.amount = total
