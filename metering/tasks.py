"""Every Celery task of the app; see wallets/tasks.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task

from metering.caps import reserve
from metering.gate import keep
from metering.mirror import drift, usage
from metering.simulation import run
from metering.usage import close_periods, days
from wallets import clock


@shared_task(acks_late=True, ignore_result=True)
def mirror_usage(**_: Any) -> int:
    """Note finished hours for the mirror."""
    return usage.note_hours(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def compare_mirror(**_: Any) -> int:
    """Compare the mirror with us."""
    return len(drift.compare_mirror(at=clock.now()))


@shared_task(acks_late=True, ignore_result=True)
def check_gate_copy(**_: Any) -> dict[str, int]:
    """Publish every wallet again, and keep how far Redis was off."""
    return asdict(keep.check_copy(at=clock.now()))


@shared_task(acks_late=True, ignore_result=True)
def keep_gate_decisions(**_: Any) -> int:
    """Copy what Redis has counted of the gate's decisions."""
    return keep.keep_decisions(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def roll_up_gate_decisions(**_: Any) -> None:
    """Add old minutes of the gate's decisions up to hours, and delete what is kept no longer."""
    keep.roll_up_decisions(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def roll_up_usage(**_: Any) -> int:
    """Add up the days of usage that are over, for reports."""
    return days.roll_up_usage(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def purge_cap_reservations(**_: Any) -> int:
    """Delete what holds that ended long ago had set aside of spend caps."""
    return reserve.purge_reservations(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def issue_statements(**_: Any) -> int:
    """Issue the statements of months that have ended."""
    return close_periods.close_periods(at=clock.now()).issued


@shared_task(acks_late=True, ignore_result=True)
def run_simulations(**_: Any) -> int:
    """Run simulations that wait, and those whose worker died."""
    return run.run_simulations(now=clock.now)
