"""Ask the provider about payments in flight: for webhooks that never came, and what a crash left half done."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from wallets.errors import Refusal
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import Outcome
from wallets.payments.providers.registry import STRIPE, card_provider, takes_cards
from wallets.payments.settle import expire_top_up, settle_top_up
from wallets.payments.start import start_payment
from wallets.payments.states import IN_FLIGHT

log = logging.getLogger(__name__)

# Whoever began it is still at it.
YOUNG: Final = timedelta(minutes=1)
# Nobody confirms a payment after so long; its card's holder begins a new one.
STALE: Final = timedelta(hours=1)
# Whose card is charged while they are away have a day to confirm.
PATIENCE: Final = timedelta(days=1)
MOST: Final = 1_000
_MACHINE_MADE: Final = (TopUp.Origin.RECHARGE, TopUp.Origin.SCHEDULE, TopUp.Origin.FEE)


def reconcile_in_flight(*, at: datetime) -> int:
    """Bring every top-up in flight to where its payment stands, and give up what nobody will finish; how many were asked
    about. One that the provider cannot answer for is asked about again next time."""
    if not takes_cards():
        return 0
    in_flight = TopUp.objects.filter(provider=STRIPE, state__in=IN_FLIGHT, moved_at__lte=at - YOUNG)
    asked = 0
    for top_up in in_flight.select_related("wallet__account", "method").order_by("moved_at", "id")[:MOST]:
        try:
            reconcile_top_up(top_up=top_up, at=at)
        except Refusal as refusal:
            log.warning("top-up %s not reconciled: %s", top_up.public_id, refusal.message)
        asked += 1
    return asked


def look_again(*, top_up: TopUp, at: datetime) -> TopUp:
    """Settle one top-up as the provider has it now: on the return from the bank. Asks the network."""
    if top_up.state not in IN_FLIGHT or not top_up.payment_id:
        return top_up
    payment = card_provider().payment(top_up.payment_id)
    return top_up if payment is None else settle_top_up(top_up_id=top_up.pk, payment=payment, at=at)


def reconcile_top_up(*, top_up: TopUp, at: datetime) -> None:
    """Bring one top-up in flight (with its wallet, account and card) to where its payment stands, or give it up. Asks the
    network. Raises ProviderUnavailable, LockBusy."""
    provider, machine_made = card_provider(), top_up.origin in _MACHINE_MADE
    if top_up.payment_id is None and not machine_made:
        expire_top_up(top_up_id=top_up.pk, at=at)  # no payment was noted, so none was confirmed: no money moved
        return
    payment = provider.payment(top_up.payment_id) if top_up.payment_id else None
    age = at - top_up.created_at
    if payment is None or (payment.outcome is Outcome.WAITING and machine_made and age < STALE):
        start_payment(top_up=top_up, at=at, off_session=machine_made)
        return
    patience = PATIENCE if machine_made and payment.outcome is Outcome.NEEDS_ACTION else STALE
    if age >= patience and payment.outcome in (Outcome.WAITING, Outcome.NEEDS_ACTION):
        payment = provider.cancel_payment(payment.id) or payment
    settle_top_up(top_up_id=top_up.pk, payment=payment, at=at)
