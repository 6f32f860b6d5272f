"""Every Celery task of the app. A task takes keywords only, ignores what a newer sender adds, asks the clock and calls one
verb; it may run twice or late, so the verbs are idempotent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task

from pricing.commitments import charge
from pricing.plans import prepare, renew
from wallets import clock


@shared_task(acks_late=True, ignore_result=True)
def renew_subscriptions(**_: Any) -> dict[str, int]:
    """Prepare the periods that start soon, begin those that are due, try unpaid fees again, end what was cancelled."""
    at = clock.now()
    return {"prepared": prepare.prepare_due(at=at), **asdict(renew.renew_due(at=at))}


@shared_task(acks_late=True, ignore_result=True)
def charge_commitments(**_: Any) -> int:
    """Charge what accounts committed to, shortly before each period starts."""
    return charge.charge_commitments(at=clock.now())
