"""Handle stored webhooks: each is only a reason to read its object again from the provider, so that they may come twice, in
any order, years late. One function per type; a type nobody knows is kept and ignored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from wallets.errors import Refusal
from wallets.payments.cards import drop_card, refresh_card, remember_card
from wallets.payments.event_models import ProviderEvent
from wallets.payments.models import PaymentMethod, ProviderCustomer, TopUp
from wallets.payments.providers.contract import PaymentProvider, ProviderPayment
from wallets.payments.providers.registry import card_provider
from wallets.payments.settle import settle_top_up

log = logging.getLogger(__name__)

State = ProviderEvent.State
BATCH: Final = 200
# Tried again after 1, 2, 4 ... minutes, in the end once a day: nothing that was signed is ever given up.
LONGEST_WAIT: Final = timedelta(days=1)
FIRST_WAIT: Final = timedelta(minutes=1)
_MOST_DOUBLINGS: Final = 11

Handler = Callable[[PaymentProvider, str, datetime], str]
"""(provider, id of the object, now) -> what was done; empty when it is not ours."""


def handle_events(*, at: datetime, handlers: Mapping[str, Handler] | None = None) -> int:
    """Handle every stored webhook that is due, the oldest first; how many. handlers: by type; None: those of payments alone."""
    due = ProviderEvent.objects.filter(state__in=[State.RECEIVED, State.FAILED], next_try_at__lte=at)
    pks = list(due.order_by("next_try_at", "id").values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        handle_event(pk=pk, at=at, handlers=handlers)
    return len(pks)


def handle_event(*, pk: int, at: datetime, handlers: Mapping[str, Handler] | None = None) -> str:
    """Handle one stored webhook; its state afterwards. Two that handle it at once do no harm: settling is done once."""
    event = ProviderEvent.objects.get(pk=pk)
    if event.state in (State.DONE, State.IGNORED):
        return event.state
    handler = (HANDLERS if handlers is None else handlers).get(event.kind)
    try:
        if handler is None:
            state, what = State.IGNORED, "of a type that is not handled"
        else:
            what = handler(card_provider(), event.object_id, at)
            state, what = (State.DONE, what) if what else (State.IGNORED, "about nothing of ours")
    except Refusal as refusal:
        log.warning("webhook %s (%s) not handled: %s", event.provider_id, event.kind, refusal.message)
        state, what = State.FAILED, refusal.message
    waited = min(FIRST_WAIT * 2 ** min(event.tries, _MOST_DOUBLINGS), LONGEST_WAIT)
    ProviderEvent.objects.filter(pk=pk).exclude(state__in=[State.DONE, State.IGNORED]).update(
        state=state,
        what=what[:300],
        tries=F("tries") + 1,
        next_try_at=at + waited,
        handled_at=None if state == State.FAILED else at,
    )
    return state


def top_up_of(payment: ProviderPayment, *, provider: str) -> TopUp | None:
    """Whose payment it is: by its id, or by the reference it carries while its id has not been noted yet."""
    found = TopUp.objects.filter(provider=provider, payment_id=payment.id).first()
    if found is None and payment.reference:
        found = TopUp.objects.filter(provider=provider, public_id=payment.reference, payment_id__isnull=True).first()
    return found


def _payment_changed(provider: PaymentProvider, payment_id: str, at: datetime) -> str:
    payment = provider.payment(payment_id)
    if payment is None:
        return ""
    top_up = top_up_of(payment, provider=provider.name)
    if top_up is None:
        return ""
    settled = settle_top_up(top_up_id=top_up.pk, payment=payment, at=at)
    return f"{settled.public_id} is {settled.state.lower()}"


def _card_saved(provider: PaymentProvider, set_up_id: str, at: datetime) -> str:
    set_up = provider.set_up(set_up_id)
    owner = ProviderCustomer.objects.select_related("account").filter(
        provider=provider.name, provider_id=set_up.customer_id
    ).first()  # fmt: skip
    if owner is None or not set_up.succeeded or not set_up.method_id:
        return ""
    return f"{remember_card(provider, method_id=set_up.method_id, owner=owner, at=at).public_id} is kept"


def _card_gone(provider: PaymentProvider, method_id: str, at: datetime) -> str:
    cards = PaymentMethod.objects.select_related("account")
    card = cards.filter(provider=provider.name, provider_id=method_id).first()
    if card is None:
        return ""
    drop_card(card=card, at=at)
    return f"{card.public_id} is removed"


def _card_replaced(provider: PaymentProvider, method_id: str, at: datetime) -> str:  # noqa: ARG001 - a handler's signature
    card = PaymentMethod.objects.filter(provider=provider.name, provider_id=method_id, removed_at__isnull=True).first()
    if card is None:
        return ""
    refresh_card(provider, card)
    return f"{card.public_id} is up to date"


HANDLERS: Final[Mapping[str, Handler]] = {
    "payment_intent.succeeded": _payment_changed,
    "payment_intent.payment_failed": _payment_changed,
    "payment_intent.processing": _payment_changed,
    "payment_intent.requires_action": _payment_changed,
    "payment_intent.canceled": _payment_changed,
    "setup_intent.succeeded": _card_saved,
    "payment_method.detached": _card_gone,
    "payment_method.automatically_updated": _card_replaced,
    "payment_method.updated": _card_replaced,
}
"""Type of webhook -> what handles it."""
