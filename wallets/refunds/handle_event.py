"""Webhooks about refunds and disputes. Each is only a reason to look at its payment again, all of it: the payment first, then
its refunds, then its disputes, in the order in which they came about. So the order of the webhooks makes no difference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from wallets.errors import Conflict
from wallets.payments import handle_event as payments
from wallets.payments.handle_event import Handler, handle_events, top_up_of
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import PaymentProvider, ProviderRefund
from wallets.payments.settle import settle_top_up
from wallets.payments.states import PAID
from wallets.refunds.dispute import settle_dispute
from wallets.refunds.models import Refund
from wallets.refunds.settle import adopt_refund, settle_refund


class NotPaidYet(Conflict):
    """Money of a payment goes back that the books have not credited; it is looked at again later."""

    code = "top_up_not_paid"


def handle_money_events(*, at: datetime) -> int:
    """Handle every stored webhook that is due, about money in or back; how many."""
    return handle_events(at=at, handlers=HANDLERS)


def look_at_payment(provider: PaymentProvider, payment_id: str, *, at: datetime) -> str:
    """Bring everything about a payment to where the provider has it; what was done, empty when it is not ours.

    Raises NotPaidYet, ProviderUnavailable, LockBusy.
    """
    payment = provider.payment(payment_id) if payment_id else None
    top_up = None if payment is None else top_up_of(payment, provider=provider.name)
    if payment is None or top_up is None:
        return ""
    settled = settle_top_up(top_up_id=top_up.pk, payment=payment, at=at)
    refunds, disputes = provider.refunds_of(payment_id), provider.disputes_of(payment_id)
    if (refunds or disputes) and settled.state not in PAID:
        raise NotPaidYet(f"Money of top-up {settled.public_id} goes back, which is {settled.state.lower()} here.")
    for refund in refunds:
        _refund(settled, refund, at=at)
    for dispute in disputes:
        settle_dispute(top_up_id=settled.pk, found=dispute, at=at)
    state = TopUp.objects.values_list("state", flat=True).get(pk=settled.pk)
    return f"{settled.public_id} is {state.lower()}; {len(refunds)} refunds, {len(disputes)} disputes"


def _refund(top_up: TopUp, found: ProviderRefund, *, at: datetime) -> None:
    ours = Refund.objects.filter(bucket=top_up.bucket, top_up_id=top_up.pk, public_id=found.reference).first()
    if ours is not None and ours.provider_ref in (None, found.id):
        settle_refund(refund_id=ours.pk, found=found, at=at)
    else:
        adopt_refund(top_up_id=top_up.pk, found=found, at=at)


def _refund_changed(provider: PaymentProvider, refund_id: str, at: datetime) -> str:
    refund = provider.read_refund(refund_id)
    return "" if refund is None else look_at_payment(provider, refund.payment_id, at=at)


def _dispute_changed(provider: PaymentProvider, dispute_id: str, at: datetime) -> str:
    dispute = provider.read_dispute(dispute_id)
    return "" if dispute is None else look_at_payment(provider, dispute.payment_id, at=at)


def _charge_refunded(provider: PaymentProvider, charge_id: str, at: datetime) -> str:
    return look_at_payment(provider, provider.payment_of_charge(charge_id), at=at)


HANDLERS: Final[Mapping[str, Handler]] = {
    **payments.HANDLERS,
    "refund.created": _refund_changed,
    "refund.updated": _refund_changed,
    "refund.failed": _refund_changed,
    "charge.refund.updated": _refund_changed,
    "charge.refunded": _charge_refunded,
    "charge.dispute.created": _dispute_changed,
    "charge.dispute.updated": _dispute_changed,
    "charge.dispute.closed": _dispute_changed,
    "charge.dispute.funds_withdrawn": _dispute_changed,
    "charge.dispute.funds_reinstated": _dispute_changed,
}
"""Type of webhook -> what handles it, of all there are."""
