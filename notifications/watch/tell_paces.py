"""Sweep over all wallets: which run out soon at the present rate, and which burn twice as fast as in the week before."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from metering.reports.pace import Pace, paces
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.resolve import resolve_alerts
from notifications.watch.models import WatchedPace
from notifications.watch.pace import days_left, in_words, watch_doubled, watch_run_out
from wallets.recharge.queries import wallets_that_recharge


def tell_paces(*, at: datetime) -> int:
    """Tell every edge once; returns how many alerts were raised. A wallet that recharges itself does not run out."""
    recharged = wallets_that_recharge()
    watched = {one.wallet_id: one for one in WatchedPace.objects.all()}
    told = 0
    for pace in paces(at=at):
        before = watched.pop(pace.wallet_id, None) or WatchedPace(wallet_id=pace.wallet_id)
        told += _watch(pace, before, recharges=pace.wallet_id in recharged, at=at)
    for rest in watched.values():  # nothing was charged in the last days
        _keep(rest, runs_out=False, doubled=False, at=at)
    return told


def _watch(pace: Pace, before: WatchedPace, *, recharges: bool, at: datetime) -> int:
    left = None if recharges else days_left(available=pace.available, per_day=pace.day)
    tell_run_out, runs_out = watch_run_out(left=left, told=before.runs_out_told_at is not None)
    tell_doubled, doubled = watch_doubled(
        day=pace.day, week=pace.week, days_used=pace.days_used, reference=pace.reference,
        told=before.doubled_told_at is not None,
    )  # fmt: skip
    with transaction.atomic():
        _keep(before, runs_out=runs_out, doubled=doubled, at=at)
        facts = {"balance": f"{pace.available:f}", "per_day": f"{pace.day:f}", "currency": pace.currency}
        told = 0
        if tell_run_out and left is not None:
            ends = at + timedelta(seconds=int(left * 86_400))
            told += _raise("run_out_forecast", pace, facts | {"days": str(in_words(left)), "runs_out_at": ends.isoformat()}, at)
        if tell_doubled:
            facts |= {"before": f"{pace.week / 7:.12f}"}
            told += _raise("burn_rate_doubled", pace, facts, at)
            told += _raise("burn_rate_page", pace, facts, at, audience="finance", severity="critical")
    return told


def _keep(watched: WatchedPace, *, runs_out: bool, doubled: bool, at: datetime) -> None:
    """Remember what is told, if that has changed; what is over leaves the banner."""
    before = (watched.runs_out_told_at, watched.doubled_told_at)
    over = [
        topic
        for topic, told, still in (("run_out_forecast", before[0], runs_out), ("burn_rate_doubled", before[1], doubled))
        if told is not None and not still
    ]
    watched.runs_out_told_at = (watched.runs_out_told_at or at) if runs_out else None
    watched.doubled_told_at = (watched.doubled_told_at or at) if doubled else None
    if before != (watched.runs_out_told_at, watched.doubled_told_at):
        watched.save()
    if over:
        resolve_alerts(wallet_id=watched.wallet_id, topics=over, at=at)


def _raise(
    topic: str, pace: Pace, facts: dict[str, str], at: datetime, *, audience: str = "customer", severity: str = "warning"
) -> bool:
    raised = raise_alert(
        topic=topic, key=f"{topic}:{pace.wallet_id}:{at.isoformat()}", account_id=pace.account_id, wallet_id=pace.wallet_id,
        facts=facts, at=at, audience=audience, severity=severity,
    )  # fmt: skip
    return raised is not None
