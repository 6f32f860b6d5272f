"""Every Celery task of the app; see wallets/tasks.py."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from metering.mirror import drift, usage
from wallets import clock


@shared_task(acks_late=True, ignore_result=True)
def mirror_usage(**_: Any) -> int:
    """Note finished hours for the mirror."""
    return usage.note_hours(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def compare_mirror(**_: Any) -> int:
    """Compare the mirror with us."""
    return len(drift.compare_mirror(at=clock.now()))
