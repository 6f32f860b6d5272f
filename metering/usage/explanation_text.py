"""An explanation as plain text: for an answer to a customer, or a note. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from metering.usage.explain import ChargeExplanation, EventExplanation
from wallets.amount_text import exact_text, quantity_text, unit_price_text
from wallets.money import ZERO


def explanation_text(explanation: EventExplanation) -> str:
    """One line an event, a charge, a draw and the total. Nothing in it is ours alone: no cost, no internal id."""
    return "\n".join(_lines(explanation))


def _lines(explanation: EventExplanation) -> Iterator[str]:
    yield f"{explanation.type} {explanation.event_id}, {explanation.time:%Y-%m-%d %H:%M:%S %Z}"
    for charge in explanation.charges:
        yield from _charge_lines(charge)
    if explanation.parked is not None and explanation.parked.replayed_at is None:
        yield f"Not charged yet: {explanation.parked.reason_label.lower()}."
    if explanation.void is not None:
        yield f"Voided {explanation.void.at:%Y-%m-%d}{f': {explanation.void.reason}' if explanation.void.reason else ''}."
    for currency, amount in explanation.totals:
        yield f"Total {exact_text(amount, currency)}"


def _charge_lines(charge: ChargeExplanation) -> Iterator[str]:
    price, currency = charge.price, charge.currency
    since = f", since {price.effective_at:%Y-%m-%d}" if price.effective_at else ""
    each = ""
    if price.unit_price is not None:
        each = f" x {unit_price_text(price.unit_price, currency, charge.meter.unit)}"
    yield (
        f"{'Taken back: ' if charge.reverses is not None else ''}{charge.meter.name}: "
        f"{_units(charge, charge.quantity)}{_covered(charge)}{each}"
        f' (version {price.version_number} of "{price.book}"{since}) = {exact_text(charge.amount, currency)}'
    )
    for said in (price.origin, price.holds):
        if said:
            yield f"    {said}"
    if price.unit_price is None:
        yield f"    {'; '.join(price.lines)}"
        if charge.prior_quantity is not None:
            yield f"    {quantity_text(charge.prior_quantity)} before it in the month"
        for tier in charge.tiers:
            reach = "above" if tier.up_to is None else f"up to {quantity_text(tier.up_to)}"
            yield f"    {reach}: {quantity_text(tier.quantity)} = {exact_text(tier.amount, currency)}"
    for allowance in charge.allowances:
        yield f"    {'to' if charge.allowance < ZERO else 'from'} {allowance.label}: {_units(charge, allowance.amount)}"
    for draw in charge.draws:
        yield f"    {'to' if charge.amount < ZERO else 'from'} {draw.label}: {exact_text(draw.amount, currency)}"
    for returned in charge.returned:
        yield f"    of what {returned.event} had drawn: {exact_text(returned.amount, currency)}"


def _units(charge: ChargeExplanation, quantity: Decimal) -> str:
    return f"{quantity_text(quantity)} {charge.meter.unit or 'unit'}{'' if quantity == 1 else 's'}"


def _covered(charge: ChargeExplanation) -> str:
    return (
        f", {quantity_text(charge.allowance)} of them from an allowance, {quantity_text(charge.priced)}"
        if charge.allowance
        else ""
    )
