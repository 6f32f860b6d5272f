"""Every Celery task of the app. A task takes keywords only, ignores what a newer sender adds, asks the clock and calls one
verb; it may run twice or late, so the verbs are idempotent."""

from __future__ import annotations

from typing import Any, Final

from celery import shared_task
from django.conf import settings

from notifications.alerts import hold_back, send
from notifications.alerts.raise_alert import on_deliveries
from notifications.rules import act
from notifications.watch import tell_expiring_lots as expiring
from notifications.watch import tell_paces as pacing
from wallets import clock
from wallets.outbox.wake import Waker

# A wake that nobody took for so long is overtaken by the sweep.
WAKE_EXPIRES_SECONDS: Final = 30


@shared_task(acks_late=True, ignore_result=True)
def send_deliveries(**_: Any) -> None:
    """Send what is due: woken by commits, and every few seconds for retries and for what a crash left."""
    send.send_due(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def send_to_failing(**_: Any) -> None:
    """Send what is due to endpoints that did not take the last one, beside everything else."""
    send.send_due(at=clock.now(), failing=True)


@shared_task(acks_late=True, ignore_result=True)
def settle_held_alerts(**_: Any) -> None:
    """Tell what waited for a recharge that did not come."""
    hold_back.settle_all_held(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def lift_rules_switched_off(**_: Any) -> None:
    """Let through again what a rule that is off by now had throttled or blocked."""
    act.lift_of_rules_switched_off(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def tell_expiring_lots(**_: Any) -> None:
    """Tell whose credit expires in 30, 7 or 1 days."""
    expiring.tell_expiring_lots(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def tell_paces(**_: Any) -> None:
    """Tell who runs out soon, and who burns twice as fast."""
    pacing.tell_paces(at=clock.now())


def listen_to_deliveries() -> None:
    """Wake a worker for planned deliveries (OUTBOX_WAKES_WORKER)."""
    if settings.OUTBOX_WAKES_WORKER:
        on_deliveries(Waker(lambda: send_deliveries.apply_async(expires=WAKE_EXPIRES_SECONDS, retry=False)).wake)
