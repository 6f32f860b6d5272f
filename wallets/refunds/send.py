"""Send the money of refunds: the provider is asked with the refund's id as the key, never inside a transaction. What a crash,
or a provider that did not answer, left behind is found by the sweep."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from wallets.errors import Refusal
from wallets.payments.providers.contract import PaymentProvider, ProviderRefund, ProviderRefused, ProviderUnavailable
from wallets.payments.providers.registry import MANUAL, card_provider
from wallets.refunds.models import Refund
from wallets.refunds.settle import fail_refund, settle_refund
from wallets.refunds.states import CREATED, ON_ITS_WAY, PENDING

log = logging.getLogger(__name__)

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(days=1)
_MOST_DOUBLINGS: Final = 11
MOST: Final = 500
REFUSED: Final = "provider_refused"


def send_refund(*, refund: Refund, at: datetime) -> Refund:
    """Have a refund's money sent, or ask how it stands; one that has ended, or that finance sends itself, is left as it is.

    Cannot be called inside a transaction. A provider that does not answer leaves it as it was: it is asked again later, under
    the same key, once it is clear that it has not acted.
    """
    refund = Refund.objects.select_related("top_up").get(pk=refund.pk)
    if refund.state not in ON_ITS_WAY or refund.provider == MANUAL:
        return refund
    waited = min(FIRST_WAIT * 2 ** min(refund.tries, _MOST_DOUBLINGS), LONGEST_WAIT)
    Refund.objects.filter(pk=refund.pk).update(tries=F("tries") + 1, next_try_at=at + waited)
    try:
        found = _ask(card_provider(), refund)
    except ProviderRefused:
        return fail_refund(refund_id=refund.pk, code=REFUSED, at=at)
    except ProviderUnavailable as refusal:
        log.warning("refund %s not sent: %s", refund.public_id, refusal.message)
        return Refund.objects.select_related("top_up").get(pk=refund.pk)
    return settle_refund(refund_id=refund.pk, found=found, at=at)


def send_due_refunds(*, at: datetime) -> int:
    """Send what waits to be sent, and ask about what is on its way, when its time has come; how many."""
    due = Refund.objects.filter(state__in=[CREATED, PENDING], next_try_at__lte=at).exclude(provider=MANUAL)
    refunds = list(due.order_by("next_try_at", "id")[:MOST])
    for refund in refunds:
        try:
            send_refund(refund=refund, at=at)
        except Refusal as refusal:
            log.warning("refund %s not sent: %s", refund.public_id, refusal.message)
    return len(refunds)


def _ask(provider: PaymentProvider, refund: Refund) -> ProviderRefund:
    """The refund at the provider; made there if it is not."""
    payment_id = refund.top_up.payment_id
    assert payment_id, refund.top_up.public_id
    if refund.provider_ref:
        found = provider.read_refund(refund.provider_ref)
        if found is None:
            raise ProviderRefused(f"The provider does not know refund {refund.provider_ref}.")
        return found
    if refund.tries:  # a key is forgotten after a day; what it made is not
        known = [one for one in provider.refunds_of(payment_id) if one.reference == refund.public_id]
        if known:
            return known[0]
    return provider.create_refund(
        key=refund.public_id,
        payment_id=payment_id,
        amount=refund.total,
        currency=refund.currency,
        reference=refund.public_id,
        reason=refund.reason,
    )
