"""Refunds and disputes at Stripe, in the words of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from wallets.payments.currencies import from_provider, to_provider
from wallets.payments.providers.contract import DisputeOutcome, ProviderDispute, ProviderRefund, RefundOutcome
from wallets.payments.providers.stripe_client import asked, found

if TYPE_CHECKING:
    import stripe

PAGE: Final = 100

# `requires_action` is the customer's own doing, for means of payment other than cards; the money is still with us.
_REFUNDS: Final[Mapping[str, RefundOutcome]] = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.SUCCEEDED,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
}
# docs.stripe.com/api/disputes/object, `status`; `prevented` ones cost nothing.
_DISPUTES: Final[Mapping[str, DisputeOutcome]] = {
    "warning_needs_response": DisputeOutcome.INQUIRY,
    "warning_under_review": DisputeOutcome.INQUIRY,
    "warning_closed": DisputeOutcome.CLOSED,
    "prevented": DisputeOutcome.CLOSED,
    "needs_response": DisputeOutcome.OPEN,
    "under_review": DisputeOutcome.OPEN,
    "won": DisputeOutcome.WON,
    "lost": DisputeOutcome.LOST,
}


class StripeRefunds:
    """The part of Stripe that gives money back."""

    _client: stripe.StripeClient

    def create_refund(
        self, *, key: str, payment_id: str, amount: Decimal, currency: str, reference: str, reason: str
    ) -> ProviderRefund:
        params: Any = {
            "payment_intent": payment_id,
            "amount": to_provider(amount, currency),
            "metadata": {"refund": reference, "reason": reason[:500]},
        }
        return _refund(asked(lambda: self._client.v1.refunds.create(params, {"idempotency_key": key})), payment_id)

    def read_refund(self, refund_id: str) -> ProviderRefund | None:
        return found(lambda: _refund(asked(lambda: self._client.v1.refunds.retrieve(refund_id))))

    def refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        listed = _all(lambda params: asked(lambda: self._client.v1.refunds.list(params)), payment_id)
        return sorted((_refund(one, payment_id) for one in listed), key=lambda one: (one.created_at, one.id))

    def read_dispute(self, dispute_id: str) -> ProviderDispute | None:
        return found(lambda: _dispute(asked(lambda: self._client.v1.disputes.retrieve(dispute_id))))

    def disputes_of(self, payment_id: str) -> list[ProviderDispute]:
        listed = _all(lambda params: asked(lambda: self._client.v1.disputes.list(params)), payment_id)
        return sorted((_dispute(one, payment_id) for one in listed), key=lambda one: (one.created_at, one.id))

    def payment_of_charge(self, charge_id: str) -> str:
        charge = found(lambda: asked(lambda: self._client.v1.charges.retrieve(charge_id)))
        return "" if charge is None else _id_of(getattr(charge, "payment_intent", None))


def _all(page_of: Callable[[Any], Any], payment_id: str) -> list[Any]:
    """Every object of a payment, page after page; none where Stripe knows no such payment (or the sandbox no such object)."""
    params: Any = {"payment_intent": payment_id, "limit": PAGE}
    listed: list[Any] = []
    while True:
        page = found(lambda: page_of(params))  # noqa: B023 - called at once
        if page is None:
            return listed
        listed += page.data
        if not page.has_more or not page.data:
            return listed
        params = {**params, "starting_after": page.data[-1].id}


def _refund(refund: Any, payment_id: str = "") -> ProviderRefund:
    currency = refund.currency.upper()
    metadata = getattr(refund, "metadata", None) or {}
    outcome = _REFUNDS.get(refund.status, RefundOutcome.PENDING)
    return ProviderRefund(
        id=refund.id,
        payment_id=_id_of(getattr(refund, "payment_intent", None)) or payment_id,
        outcome=outcome,
        amount=from_provider(refund.amount, currency),
        currency=currency,
        created_at=datetime.fromtimestamp(refund.created, UTC),
        reference=str(metadata["refund"]) if "refund" in metadata else "",
        failure_code=_failure(refund) if outcome is RefundOutcome.FAILED else "",
    )


def _failure(refund: Any) -> str:
    return str(getattr(refund, "failure_reason", None) or refund.status)


def _dispute(dispute: Any, payment_id: str = "") -> ProviderDispute:
    currency = dispute.currency.upper()
    details = getattr(dispute, "evidence_details", None)
    due = getattr(details, "due_by", None)
    return ProviderDispute(
        id=dispute.id,
        payment_id=_id_of(getattr(dispute, "payment_intent", None)) or payment_id,
        outcome=_DISPUTES.get(dispute.status, DisputeOutcome.OPEN),
        amount=from_provider(dispute.amount, currency),
        currency=currency,
        reason=str(dispute.reason),
        created_at=datetime.fromtimestamp(dispute.created, UTC),
        evidence_due_at=None if due is None else datetime.fromtimestamp(due, UTC),
    )


def _id_of(value: Any) -> str:
    """An id that may have come as the whole object."""
    return str(value if isinstance(value, str) else value["id"]) if value else ""
