"""Celery's app and the table of what runs when. Every task may run twice, late, or beside itself: the verbs they call are
idempotent, so a missed run is made up by the next."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")


@dataclass(frozen=True)
class Beat:
    """One row of the table: which task runs when, and why that often."""

    task: str
    schedule: timedelta | crontab
    why: str


BEAT: Final = {
    "heartbeat": Beat("billing_site.tasks.heartbeat", timedelta(seconds=5), "/healthz asks whether a worker answers"),
    "sweep-news": Beat("wallets.tasks.deliver_news", timedelta(seconds=5), "news whose wake-up was lost in a crash"),
    "send-deliveries": Beat(
        "notifications.tasks.send_deliveries", timedelta(seconds=5), "retries, and deliveries whose wake-up was lost"
    ),
    "send-to-failing": Beat(
        "notifications.tasks.send_to_failing", timedelta(seconds=5), "endpoints that fail are tried beside all others"
    ),
    "settle-held-alerts": Beat(
        "notifications.tasks.settle_held_alerts", timedelta(minutes=1), "a recharge that never came must not silence an alert"
    ),
    "rules-switched-off": Beat(
        "notifications.tasks.lift_rules_switched_off", timedelta(minutes=1), "what a rule blocks ends with the rule"
    ),
    "expiring-lots": Beat(
        "notifications.tasks.tell_expiring_lots", crontab(minute="21"), "credit is used before it expires, not missed after"
    ),
    "paces": Beat(
        "notifications.tasks.tell_paces", crontab(minute="3"), "an hour is over: who runs out soon, who burns twice as fast"
    ),
    "check-gate-copy": Beat(
        "metering.tasks.check_gate_copy", timedelta(minutes=1), "the gate's copy in Redis drifts never longer"
    ),
    "keep-gate-decisions": Beat(
        "metering.tasks.keep_gate_decisions", timedelta(seconds=20), "a lost Redis loses less than a minute of what was refused"
    ),
    "roll-up-gate": Beat(
        "metering.tasks.roll_up_gate_decisions", crontab(minute="47"), "minutes are kept two days, hours longer"
    ),
    "roll-up-journal": Beat(
        "wallets.tasks.roll_up_journal", timedelta(minutes=10), "reports read days that are over from their sums"
    ),
    "roll-up-usage": Beat("metering.tasks.roll_up_usage", timedelta(minutes=10), "as the journal"),
    "purge-holds": Beat("wallets.tasks.purge_holds", crontab(hour="3", minute="41"), "ended holds are kept 90 days"),
    "purge-reservations": Beat(
        "metering.tasks.purge_cap_reservations",
        crontab(hour="3", minute="53"),
        "what ended holds had set aside of caps is of no use",
    ),
    "expire-lots": Beat("wallets.tasks.expire_lots", timedelta(minutes=1), "credit ends at its time, not when it is next used"),
    "activate-lots": Beat("wallets.tasks.activate_lots", timedelta(seconds=30), "credit granted ahead counts from its time"),
    "lapse-holds": Beat("wallets.tasks.lapse_holds", timedelta(seconds=10), "what work in flight did not use is shown again"),
    "renew-subscriptions": Beat(
        "pricing.tasks.renew_subscriptions", timedelta(seconds=5), "a period's allowances are there soon after it starts"
    ),
    "charge-commitments": Beat(
        "pricing.tasks.charge_commitments", timedelta(minutes=1), "a period's lot is there before its first event"
    ),
    "payment-events": Beat(
        "wallets.tasks.handle_payment_events", timedelta(seconds=5), "webhooks whose wake-up was lost, and those to try again"
    ),
    "recharges": Beat(
        "wallets.tasks.sweep_recharges", timedelta(seconds=5), "recharges whose wake-up was lost, or whose wait has ended"
    ),
    "reconcile-payments": Beat(
        "wallets.tasks.reconcile_payments", crontab(minute="7"), "payments whose webhook never came, or that a crash left"
    ),
    "compare-payments": Beat(
        "wallets.tasks.compare_payments", crontab(hour="4", minute="27"), "every difference to the provider is seen in a day"
    ),
    "send-refunds": Beat("wallets.tasks.send_refunds", timedelta(minutes=1), "refunds that were approved, or got no answer"),
    "pay-withdrawals": Beat("wallets.tasks.pay_withdrawals", timedelta(minutes=5), "money goes out when its time has come"),
    "expiring-cards": Beat(
        "wallets.tasks.tell_expiring_cards", crontab(hour="8", minute="12"), "a card is replaced before it fails, not after"
    ),
    "mirror-credit": Beat(
        "wallets.tasks.mirror_credit",
        timedelta(minutes=1),
        "a mirror, if there is one, is told what it lacks",
    ),
    "mirror-usage": Beat("metering.tasks.mirror_usage", crontab(minute="13"), "an hour is mirrored once it is over"),
    "compare-mirror": Beat(
        "metering.tasks.compare_mirror", crontab(hour="7", minute="41"), "what the mirror lacks is seen within a day"
    ),
    "refresh-taxes": Beat(
        "wallets.tasks.refresh_taxes", crontab(hour="3", minute="51"), "a change of tax reaches recharges within a day"
    ),
    "simulations": Beat(
        "metering.tasks.run_simulations", timedelta(seconds=5), "somebody waits for it; what a dead worker left"
    ),
    "issue-statements": Beat(
        "metering.tasks.issue_statements", crontab(minute="9"), "a month ends at another hour in every zone"
    ),
    "prove": Beat(
        "billing_site.tasks.prove_nightly", crontab(hour="2", minute="11"), "what does not agree is found within a day"
    ),
    "purge-sessions": Beat("billing_site.tasks.purge_sessions", crontab(hour="3", minute="29"), "a session names an address"),
    "purge-sign-ins": Beat(
        "wallets.tasks.purge_sign_ins", crontab(hour="3", minute="31"), "who came in from where is kept 180 days"
    ),
    "purge-news": Beat("wallets.tasks.purge_news", crontab(minute="17"), "delivered news is kept for questions, not forever"),
    "purge-attempts": Beat(
        "wallets.tasks.purge_attempts", crontab(minute="47"), "attempts to top up name an address; no rule needs old ones"
    ),
    "purge-answers": Beat(
        "wallets.tasks.purge_answers", crontab(minute="37"), "answers to idempotent requests are kept 30 days"
    ),
}

app = Celery("billing")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery's Django fixup reads just this name; without it every task pays for a new PostgreSQL connection.
app.conf.CELERY_DB_REUSE_MAX = 500
app.conf.beat_schedule = {
    # A run that found no worker is overtaken by the next one.
    name: {"task": row.task, "schedule": row.schedule, "options": {"expires": 300}}
    for name, row in BEAT.items()
}
app.autodiscover_tasks()


@worker_ready.connect
def beat_at_once(**_: Any) -> None:
    """A worker that has just come up is healthy now, not after the next run of beat."""
    app.send_task(BEAT["heartbeat"].task)
