"""Stripe Billing: credit grants and meter events (docs.stripe.com/api/billing/credit-grant, …/billing/meter-event).

A credit grant is money only, applies to metered prices, cannot be made smaller, and is voided (or, once an invoice has used
it, expired). A meter event carries a whole number, is at most 35 days old, and is counted once per identifier for a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import stripe
from django.conf import settings

from wallets.payments.currencies import from_provider, to_provider
from wallets.payments.providers.billing import GrantThere, NewGrant
from wallets.payments.providers.contract import ProviderRefused
from wallets.payments.providers.registry import CardsNotTaken
from wallets.payments.providers.stripe_client import asked, stripe_client

PAGE: Final = 100
LONGEST_NAME: Final = 100


class StripeBilling:
    """The provider's billing, by Stripe."""

    def __init__(self, *, secret_key: str, api_url: str = "") -> None:
        """api_url: of another server; empty is Stripe's own."""
        self._billing = stripe_client(secret_key, api_url).v1.billing

    def grant(self, new: NewGrant, *, key: str, customer_id: str) -> str:
        params: Any = {
            "customer": customer_id,
            "category": "paid" if new.paid else "promotional",
            "amount": {
                "type": "monetary",
                "monetary": {"currency": new.currency.lower(), "value": to_provider(new.amount, new.currency)},
            },
            "applicability_config": {"scope": {"price_type": "metered"}},
            "priority": new.priority,
            "name": new.name[:LONGEST_NAME],
            "metadata": {"lot": new.lot},
        }
        for field, moment in (("effective_at", new.effective_at), ("expires_at", new.expires_at)):
            if moment is not None:
                params[field] = int(moment.timestamp())
        return str(asked(lambda: self._billing.credit_grants.create(params, {"idempotency_key": key})).id)

    def end_grant(self, grant_id: str, *, key: str) -> None:
        grants = self._billing.credit_grants
        try:
            asked(lambda: grants.void_grant(grant_id, {}, {"idempotency_key": f"{key}:void"}))
        except ProviderRefused:  # an invoice has used some of it, or it has ended
            if _ended(asked(lambda: grants.retrieve(grant_id))):
                return
            asked(lambda: grants.expire(grant_id, {}, {"idempotency_key": f"{key}:expire"}))

    def report_usage(self, *, key: str, customer_id: str, event_name: str, value: int, at: datetime) -> None:
        params: Any = {
            "event_name": event_name,
            "identifier": key,
            "timestamp": int(at.timestamp()),
            "payload": {"stripe_customer_id": customer_id, "value": str(value)},
        }
        asked(lambda: self._billing.meter_events.create(params, {"idempotency_key": key}))

    def grants_of(self, customer_id: str) -> Iterator[GrantThere]:
        for grant in _pages(self._billing.credit_grants.list, {"customer": customer_id}):
            money = grant.amount.monetary
            currency = money.currency.upper()
            yield GrantThere(
                id=grant.id,
                lot=str(grant.metadata["lot"]) if "lot" in (grant.metadata or {}) else "",
                amount=from_provider(money.value, currency),
                currency=currency,
                paid=grant.category == "paid",
                ended=_ended(grant),
            )

    def meters(self) -> dict[str, str]:
        return {meter.event_name: meter.id for meter in _pages(self._billing.meters.list, {"status": "active"})}

    def used(self, *, meter_id: str, customer_id: str, start: datetime, end: datetime) -> Decimal:
        params: Any = {
            "customer": customer_id,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
        }
        summaries = _pages(lambda more: self._billing.meters.event_summaries.list(meter_id, more), params)
        return sum((Decimal(str(one.aggregated_value)) for one in summaries), Decimal(0))


def from_settings() -> StripeBilling:
    """Stripe as the settings say. Raises CardsNotTaken when there is no key."""
    if not settings.STRIPE_SECRET_KEY:
        raise CardsNotTaken("No payment provider is set up here, so nothing can be mirrored to it.")
    return StripeBilling(secret_key=settings.STRIPE_SECRET_KEY, api_url=settings.STRIPE_API_URL)


def _ended(grant: stripe.billing.CreditGrant) -> bool:
    """Voided, or expired by a call; one that ends by itself in time has not ended by anybody's doing."""
    expired = grant.expires_at is not None and grant.expires_at <= grant.updated
    return grant.voided_at is not None or expired


def _pages(call: Any, params: dict[str, Any]) -> Iterator[Any]:
    after: dict[str, Any] = {}
    while True:
        asking = params | {"limit": PAGE} | after
        page = asked(lambda asking=asking: call(asking))  # type: ignore[misc]
        yield from page.data
        if not page.has_more or not page.data:
            return
        after = {"starting_after": page.data[-1].id}
