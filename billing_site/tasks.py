"""Celery tasks of the site itself."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from billing_site import health


@shared_task(ignore_result=True)
def heartbeat(**_: Any) -> None:
    """Show that a worker takes tasks."""
    health.beat_heart()
