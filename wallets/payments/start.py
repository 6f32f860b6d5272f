"""Charge a top-up's card: ask the provider for a payment, note its id, have it confirmed, settle what came of it.

Two steps, each with the top-up's id in its key and a commit between them: money moves in the second only, so a payment whose
id was never noted has moved none. Killed anywhere, the same call goes on (`resume`), and the provider acts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.payments.customers import customer_id_of
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.move import move_top_up
from wallets.payments.providers.contract import Outcome, PaymentProvider, ProviderPayment, ProviderRefused
from wallets.payments.providers.registry import card_provider
from wallets.payments.settle import fail_top_up, settle_top_up
from wallets.payments.states import CREATED, IN_FLIGHT, PROCESSING

PROVIDER_REFUSED: Final = "provider_refused"


class GivenUp(Exception):
    """The top-up was given up before its payment was noted. Never leaves this file."""


@dataclass(frozen=True, slots=True)
class Started:
    """How a payment stands. client_secret: for the browser, while the card's holder has to confirm."""

    top_up: TopUp
    client_secret: str


def start_payment(*, top_up: TopUp, at: datetime, off_session: bool = False) -> Started:
    """Charge a top-up by card, or go on with one that was interrupted; one that has ended is left as it is.

    off_session: the card's holder is not here to confirm. Cannot be called inside a transaction. Raises ProviderUnavailable:
    then nobody knows whether the provider acted, and the top-up stays in flight until it is asked again.
    """
    provider = card_provider()
    if top_up.state not in IN_FLIGHT:
        return Started(top_up, "")
    try:
        payment = _payment(provider, top_up, at=at)
        if payment.outcome is Outcome.WAITING:
            payment = provider.confirm_payment(payment.id, key=f"{top_up.public_id}:confirm", off_session=off_session)
    except GivenUp:
        top_up.refresh_from_db()
        return Started(top_up, "")
    except ProviderRefused:
        return Started(fail_top_up(top_up_id=top_up.pk, code=PROVIDER_REFUSED, at=at), "")
    settled = settle_top_up(top_up_id=top_up.pk, payment=payment, at=at)
    return Started(settled, payment.client_secret if payment.outcome is Outcome.NEEDS_ACTION else "")


def _payment(provider: PaymentProvider, top_up: TopUp, *, at: datetime) -> ProviderPayment:
    """The provider's payment for the top-up, its id noted."""
    if top_up.payment_id:
        found = provider.payment(top_up.payment_id)
        if found is None:
            raise ProviderRefused(f"The provider does not know payment {top_up.payment_id}.")
        return found
    assert top_up.method is not None, top_up.public_id
    payment = provider.create_payment(
        key=top_up.public_id,
        amount=top_up.total,
        currency=top_up.currency,
        customer_id=customer_id_of(top_up.wallet.account, provider=provider, at=at),
        method_id=top_up.method.provider_id,
        reference=top_up.public_id,
    )
    with transaction.atomic(durable=True):
        locked = lock_top_up(top_up.pk)
        if locked.state == CREATED:
            move_top_up(locked, PROCESSING, at=at, payment_id=payment.id)
        elif locked.payment_id is None:
            raise GivenUp  # while the provider was asked; nothing was confirmed, so no money moved
    return payment
