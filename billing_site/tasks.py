"""Celery tasks of the site itself."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from billing_site import health, proving
from billing_site.sign_in import purge
from wallets.clock import now


@shared_task(ignore_result=True)
def heartbeat(**_: Any) -> None:
    """Show that a worker takes tasks."""
    health.beat_heart()


@shared_task(acks_late=True, ignore_result=True)
def prove_nightly(**_: Any) -> None:
    """Prove the books and keep how it came out."""
    proving.prove_and_keep(at=now())


@shared_task(acks_late=True, ignore_result=True)
def purge_sessions(**_: Any) -> int:
    """Forget sessions that ended."""
    return purge.purge_sessions(at=now())
