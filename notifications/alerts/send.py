"""Send deliveries that are due. Claimed first, in a transaction of its own (state SENDING, SKIP LOCKED, so any number of
workers may run this); sent by threads outside any transaction; written down after. A worker that dies leaves its claims to
time out: they wait again, at least once, except a mail whose body was being handed over, never sent twice (UNCERTAIN).

An endpoint that hangs delays nobody else: at most MOST_OF_ONE of its messages are under way at once, and one that has failed
last is served by a run of its own (`failing=True`) with threads of its own.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from notifications.alerts.bounces import note_bounce
from notifications.alerts.gather import gather_due, hold_for_recipient
from notifications.alerts.message import message_of
from notifications.alerts.models import Attempt, Delivery
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.retries import next_wait
from notifications.channels.contract import SLOWEST, LostClaim, Outcome, Sent
from notifications.channels.registry import CHANNELS
from notifications.channels.webhook.endpoints import note_failed, note_taken
from notifications.channels.webhook.sealed import SecretLost

log = logging.getLogger(__name__)

THREADS: Final = 16
MOST_OF_ONE: Final = 4
MOST_MAILS: Final = 2  # under way in one run: a killed worker leaves no more than these in doubt
CLAIM: Final = timedelta(seconds=4 * SLOWEST)
LOOK_SECONDS: Final = 0.2
State = Delivery.State


@dataclass(slots=True)
class Report:
    """What one run did, by outcome."""

    sent: int = 0
    failed: int = 0
    taken_back: int = 0


def send_due(*, at: datetime, failing: bool = False, limit: int = 2_000) -> Report:
    """Send until nothing is due and nothing is under way, or `limit` were tried. failing: those to endpoints that did not take
    the last one; else all others."""
    began = time.monotonic()
    report = Report(taken_back=take_back(at=at))
    if not failing:
        gather_due(at=at)
    under_way: dict[Future[Sent], Delivery] = {}
    tried = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="send") as threads:
        while True:
            moment = at + timedelta(seconds=time.monotonic() - began)
            free = min(THREADS - len(under_way), limit - tried)
            mails = MOST_MAILS - sum(delivery.endpoint_id is None for delivery in under_way.values())
            claimed = claim(at=moment, failing=failing, limit=free, mails=mails) if free > 0 else []
            tried += len(claimed)
            for delivery in claimed:
                if hold_for_recipient(delivery, at=moment):
                    continue
                under_way[threads.submit(_send, delivery, moment)] = delivery
            if not under_way:
                if claimed:
                    continue
                return report
            done, _ = wait(under_way, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                _write_down(under_way.pop(future), future, at + timedelta(seconds=time.monotonic() - began), report)


def claim(*, at: datetime, failing: bool, limit: int, mails: int = MOST_MAILS) -> list[Delivery]:
    """Deliveries that are due, now ours until their claim ends; of mails at most `mails`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"at": at, "failing": failing, "limit": limit})
        found = cursor.fetchall()
        under_way: Counter[int | None] = Counter(_under_way(endpoint for _, endpoint in found if endpoint is not None))
        most = 1 if failing else MOST_OF_ONE
        chosen: list[int] = []
        for delivery_id, endpoint in found:
            if len(chosen) == limit:
                break
            if under_way[endpoint] < (mails if endpoint is None else most):
                under_way[endpoint] += 1
                chosen.append(delivery_id)
        claimed = Delivery.objects.filter(pk__in=chosen)
        claimed.update(state=State.SENDING, next_at=None, claimed_until=at + CLAIM, attempts=F("attempts") + 1)
    related = Delivery.objects.select_related("alert__account", "alert__wallet", "recipient", "endpoint")
    return list(related.filter(pk__in=chosen).order_by("id"))


# The first few of each endpoint (of mails): thousands that wait for one must not hide what waits for another.
_DUE: Final = """
    WITH turn AS (
        SELECT d.id, row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.next_at, d.id) AS place
        FROM notifications_delivery d LEFT JOIN notifications_webhookendpoint e ON e.id = d.endpoint_id
        WHERE d.state = 'WAITING' AND d.next_at <= %(at)s AND (e.failing_since IS NOT NULL) = %(failing)s
    )
    SELECT d.id, d.endpoint_id FROM turn JOIN notifications_delivery d ON d.id = turn.id
    WHERE turn.place <= %(limit)s AND d.state = 'WAITING'
    ORDER BY turn.place, d.next_at, d.id LIMIT %(limit)s * 4
    FOR UPDATE OF d SKIP LOCKED"""


def _under_way(endpoint_ids: Iterable[int]) -> dict[int | None, int]:
    """How many messages are under way to each of these."""
    sending = Delivery.objects.filter(state=State.SENDING, endpoint_id__in=set(endpoint_ids))
    return Counter(sending.values_list("endpoint_id", flat=True))


def take_back(*, at: datetime) -> int:
    """Let what dead workers had claimed wait again; a mail that was being handed over is UNCERTAIN. Returns how many."""
    lapsed = Delivery.objects.filter(state=State.SENDING, claimed_until__lt=at)
    uncertain = lapsed.filter(handed_over_at__isnull=False).update(
        state=State.UNCERTAIN, claimed_until=None, reason="the worker died while the mail was handed over"
    )
    return uncertain + lapsed.update(state=State.WAITING, claimed_until=None, next_at=at)


def _send(delivery: Delivery, at: datetime) -> Sent:
    """In a thread: no transaction is open here."""
    if delivery.endpoint is not None and (delivery.endpoint.state != "ACTIVE" or delivery.endpoint.removed_at is not None):
        return Sent(Outcome.NEVER, answer="the endpoint is disabled or removed")
    try:
        message = message_of(delivery, at=at)
        return CHANNELS[delivery.channel](message, at=at, handing_over=lambda: _hand_over(delivery, at))
    except SecretLost as lost:
        return Sent(Outcome.AGAIN, answer=lost.message)
    finally:
        connection.close()


def _hand_over(delivery: Delivery, at: datetime) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
    if not mine.update(handed_over_at=at):
        raise LostClaim


def _write_down(delivery: Delivery, future: Future[Sent], at: datetime, report: Report) -> None:
    """The attempt and where it leaves the delivery, unless another worker has it by now."""
    try:
        sent = future.result()
    except LostClaim:
        return
    except Exception as error:
        log.exception("delivery %s was not sent", delivery.public_id)
        sent = Sent(Outcome.AGAIN, answer=repr(error)[:500].replace("\0", ""))
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
        after = _after(delivery, sent, at)
        if not mine.update(claimed_until=None, answer_status=sent.status, answer=sent.answer, **after):
            return
        Attempt.objects.create(
            delivery=delivery, number=delivery.attempts, at=at, milliseconds=sent.milliseconds,
            outcome=sent.outcome, status=sent.status, answer=sent.answer,
        )  # fmt: skip
        _learn(delivery, sent, at)
    report.sent += sent.outcome is Outcome.TAKEN
    report.failed += sent.outcome is not Outcome.TAKEN
    if sent.outcome is not Outcome.TAKEN:
        log.warning("%s to %s: %s %s", delivery.public_id, delivery.channel, sent.status or "", sent.answer)


def _after(delivery: Delivery, sent: Sent, at: datetime) -> dict[str, Any]:
    if sent.outcome is Outcome.TAKEN:
        return {"state": State.SENT, "sent_at": at, "reason": ""}
    if sent.outcome is Outcome.NEVER:
        return {"state": State.FAILED, "reason": sent.answer[:200]}
    if sent.outcome is Outcome.UNCERTAIN:
        return {"state": State.UNCERTAIN, "reason": "the server hung up while the mail was handed over"}
    pause = next_wait(failures=delivery.attempts - delivery.attempts_before, delivery=delivery.public_id)
    if pause is None:
        return {"state": State.GIVEN_UP, "reason": f"{delivery.attempts - delivery.attempts_before} attempts failed"}
    return {"state": State.WAITING, "next_at": at + pause, "handed_over_at": None}


def _learn(delivery: Delivery, sent: Sent, at: datetime) -> None:
    """What an attempt says about its endpoint or mailbox."""
    endpoint = delivery.endpoint
    if endpoint is None:
        if sent.outcome is Outcome.NEVER:
            note_bounce(email=delivery.address, at=at)
        return
    if sent.outcome is Outcome.TAKEN:
        note_taken(endpoint_id=endpoint.pk)
    elif note_failed(endpoint_id=endpoint.pk, at=at):
        raise_alert(
            topic="endpoint_disabled",
            key=f"endpoint_disabled:{endpoint.public_id}:{at.isoformat()}",
            account_id=endpoint.account_id,
            wallet_id=None,
            facts={
                "url": endpoint.url,
                "answer": f"{sent.status or ''} {sent.answer}".strip(),
                "since": (endpoint.failing_since or at).isoformat(),
            },
            at=at,
            audience="customer" if endpoint.account_id is not None else "finance",
            severity="warning",
        )
