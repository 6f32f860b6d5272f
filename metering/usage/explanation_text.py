"""An explanation as plain text: for an answer to a customer, or a note. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from metering.usage.explain import ChargeExplanation, EventExplanation
from wallets.amount_text import exact_text, quantity_text, unit_price_text


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
    unit = charge.meter.unit or "unit"
    price = charge.price
    since = f", since {price.effective_at:%Y-%m-%d}" if price.effective_at else ""
    yield (
        f"{'Taken back: ' if charge.reverses is not None else ''}{charge.meter.name}: "
        f"{quantity_text(charge.quantity)} {unit}{'' if charge.quantity == 1 else 's'}"
        f" x {unit_price_text(price.unit_price, charge.currency, charge.meter.unit)}"
        f' (version {price.version_number} of "{price.book}"{since}) = {exact_text(charge.amount, charge.currency)}'
    )
    for draw in charge.draws:
        way = "to" if charge.reverses is not None else "from"
        yield f"    {way} {draw.label}: {exact_text(draw.amount, charge.currency)}"
