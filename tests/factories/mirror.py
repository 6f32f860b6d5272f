"""A mirror to a server that answers as Stripe Billing does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tests.fakes.recorded_stripe import RecordedStripe, recorded_stripe
from wallets.accounts.models import Account
from wallets.mirror.models import MirrorDrift, MirrorItem

GRANT, METER_EVENT = "POST /v1/billing/credit_grants", "POST /v1/billing/meter_events"
GRANTS, METERS = "GET /v1/billing/credit_grants", "GET /v1/billing/meters"


@contextmanager
def mirror_to_stripe(settings: Any, *, since: datetime) -> Iterator[RecordedStripe]:
    """What is mirrored goes to a server of one's own inside the block."""
    with recorded_stripe() as recorded:
        settings.STRIPE_API_URL, settings.STRIPE_SECRET_KEY = recorded.url, "sk_test_1"
        settings.STRIPE_MIRROR_SINCE = since
        recorded.answers("POST /v1/customers", {"id": "cus_1", "object": "customer"})
        yield recorded


def credit_grant(lot: str, **changes: Any) -> dict[str, Any]:
    """A credit grant, as docs.stripe.com/api/billing/credit-grant/object shows one."""
    return {
        "id": "credgr_1",
        "object": "billing.credit_grant",
        "amount": {"monetary": {"currency": "usd", "value": 5000}, "type": "monetary"},
        "applicability_config": {"scope": {"price_type": "metered"}},
        "category": "paid",
        "created": 1793000000,
        "customer": "cus_1",
        "effective_at": 1793000000,
        "expires_at": None,
        "livemode": False,
        "metadata": {"lot": lot},
        "name": "Top-up",
        "priority": 50,
        "test_clock": None,
        "updated": 1793000000,
        "voided_at": None,
    } | changes


def meter(code: str, meter_id: str) -> dict[str, Any]:
    """A meter."""
    return {"id": meter_id, "object": "billing.meter", "event_name": code, "status": "active"}


def summary(value: float, meter_id: str) -> dict[str, Any]:
    """What a meter counted."""
    return {"id": "mtrusg_1", "object": "billing.meter_event_summary", "aggregated_value": value, "meter": meter_id}


def noted(account: Account, *, at: datetime) -> None:
    """An item that waits, and a difference that was found."""
    MirrorItem.objects.create(
        kind="usage", key="usage:1:1:2026112310:1", account=account, amount=5, unit="calls", happened_at=at, next_try_at=at,
        created_at=at,
    )  # fmt: skip
    MirrorDrift.objects.create(
        account=account, what="usage differs", subject="calls", ours=5, theirs=4, unit="calls", found_at=at
    )
