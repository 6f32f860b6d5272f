"""Rate one event: which version, which lines, which quantities, which amounts. In memory, exact. What depends on earlier
usage, or may be covered by an allowance, is only measured here; it is rated under the wallet's lock (`counted.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from metering.ingest.accounts import AccountView
from metering.ingest.decode import UsageInput
from metering.ingest.models import DeadLetter
from pricing.books.in_force import Catalogue
from pricing.books.version_view import Line, VersionView
from pricing.meters.measure import LARGEST_WHOLE, NotAQuantity, Quantity, quantity_of, unique_value
from wallets.money import ZERO

Reason = DeadLetter.Reason


class Unusable(ValueError):
    """The event cannot be measured; the message names the property."""


ItemCharge = tuple[Line, Quantity, Decimal, Decimal]
"""One meter's part of an event: the line, what was counted, what it costs the customer, what it costs us."""


Measured = tuple[Line, Quantity, str, Decimal | None]
"""One meter's part of an event that is still to be rated: the line; what the event says, before allowances; what `unique`
looks at; what the event says it costs, where its price is dynamic."""


class Item(Struct, gc=False):
    """An event on its way through a batch, and what became of it: `charges`, and `pending` ones until they are rated.
    `amount`: of all that are rated; `first_line`: what its first charge is numbered."""

    request: int
    index: int
    event: UsageInput
    account: AccountView
    time: datetime
    charges: Sequence[ItemCharge] = ()
    pending: Sequence[Measured] = ()
    amount: Decimal = ZERO
    currency: str = ""
    wallet_id: int = 0
    row_id: int = 0
    time_us: int = 0
    parked: tuple[str, str] | None = None
    refused: tuple[str, str] | None = None
    duplicate: bool = False
    tallied: bool = False
    first_line: int = 0


def rate_item(  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call a charge would cost as much as the charge
    item: Item, properties: dict[str, Any], version: VersionView | None, catalogue: Catalogue
) -> None:
    """Fill in the item's charges at `version`'s prices, or what is to be rated under the lock (`pending`), or why it has to
    wait for a price (`parked`).

    Raises Unusable when a measured property is not a quantity.
    """
    charges: list[ItemCharge] = []
    item.charges, item.pending, item.amount, item.currency, item.wallet_id = charges, (), ZERO, "", 0
    item.parked = item.refused = None
    item.duplicate = False
    if version is None:
        item.parked = (Reason.NO_PRICE, "The account had no published price book at the event's time.")
        return
    plan = version.plans.get(item.event.type) or version.plan(item.event.type, catalogue.meters)
    values = tuple(map(properties.get, plan.keys))
    if plan.openings is not None:
        values = (*values, plan.openings.at(item.time))
    try:
        lines = plan.lines.get(values)
    except TypeError:  # a list or an object where a text was expected
        lines = None
    if lines is None:
        lines = version.lines(plan, values)
    wallet_id = item.account.wallets.get(version.currency)
    covered = item.account.allowances.get(wallet_id) if wallet_id is not None and item.account.allowances else None
    pending: list[Measured] = []
    total = ZERO
    for line in lines:
        name, member, own_price = line.property, "", None
        if not line.plain:
            found = _measure(line, properties)
            if found is None:
                continue
            quantity, member, own_price = found
        elif name is None:
            quantity = 1
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
        if line.counted or (covered is not None and line.meter in covered):
            rated = None
        else:
            try:
                rated = line.rate(quantity, 0) if own_price is None else line.rate(quantity, 0, 0, own_price)
            except OverflowError:
                raise Unusable(f"The charge on meter {line.meter} is too large.") from None
        if rated is None:
            pending.append((line, quantity, member, own_price))
            continue
        amount, cost, _ = rated
        total += amount
        charges.append((line, quantity, amount, cost))
    item.pending = pending
    if not charges and not pending:
        item.parked = (Reason.NO_QUANTITY, "None of the meters of this type found a property to measure.")
        return
    item.currency = version.currency
    if wallet_id is None:
        item.charges, item.pending = [], ()
        item.parked = (Reason.NO_WALLET, f"The account has no wallet in {version.currency}.")
        return
    item.wallet_id = wallet_id
    item.amount = total


def _measure(line: Line, properties: dict[str, Any]) -> tuple[Quantity, str, Decimal | None] | None:
    """What a line that is not plain finds in an event: the value, what `unique` looks at, the event's own price. None when
    there is nothing to measure. Raises Unusable."""
    own_price, own = None, line.own_price
    try:
        value = line.measure(properties)
        if value is None:
            return None
        member = unique_value(line.property or "", properties) or "" if line.aggregation == "unique" else ""
        if own:
            own_price = Decimal(quantity_of(properties.get(own), name=own))
    except NotAQuantity as error:
        raise Unusable(str(error)) from None
    return value, member, own_price
