"""Hold a mail back until its recipient wants it, and make one mail of those that were gathered."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from notifications.alerts.message import message_of
from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.when_to_send import NOW, WINDOW, Manner, Verdict, decide_when
from notifications.channels.email.render import render_subject, zone_of

MOST_IN_ONE: Final = 200
MOST_DIGESTS: Final = 100
TOPIC: Final = "digest"
State = Delivery.State


def manner_of(recipient: Recipient) -> Manner:
    """How a recipient wants to be told."""
    zone: ZoneInfo = zone_of(recipient.time_zone)
    return Manner(zone, recipient.quiet_from, recipient.quiet_until, recipient.digest)


def hold_for_recipient(delivery: Delivery, *, at: datetime) -> bool:
    """Put a claimed delivery, read with its alert and recipient, back until its recipient wants it; whether it was put back.
    One that somebody asked for again by hand goes now."""
    verdict = _verdict(delivery, at)
    if verdict == NOW:
        return False
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
    mine.update(
        state=State.GATHERING if verdict.gather else State.WAITING,
        next_at=verdict.until,
        claimed_until=None,
        attempts=delivery.attempts - 1,
        reason=verdict.why,
    )
    return True


def _verdict(delivery: Delivery, at: datetime) -> Verdict:
    recipient = delivery.recipient
    if recipient is None or delivery.alert.mandatory or delivery.attempts_before:
        return NOW
    lately = Delivery.objects.filter(recipient=recipient, state=State.SENT, sent_at__gt=at - WINDOW)
    return decide_when(
        manner_of(recipient),
        mandatory=False,
        gathered=delivery.alert.topic == TOPIC,
        sent_lately=lately.count(),
        at=at,
    )


def gather_due(*, at: datetime) -> int:
    """Make a mail for every recipient with something gathered that is due. Returns how many."""
    due = Delivery.objects.filter(state=State.GATHERING, next_at__lte=at).order_by("recipient_id")
    due.filter(recipient__isnull=True).update(state=State.SUPPRESSED, next_at=None, reason="the recipient was removed")
    recipients = due.values_list("recipient_id", flat=True).distinct()[:MOST_DIGESTS]
    return sum(_gather(recipient_id, at) for recipient_id in list(recipients))


def _gather(recipient_id: int, at: datetime) -> bool:
    """All that is gathered for one recipient, as one mail."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(recipient_id=recipient_id, state=State.GATHERING)
        rows = list(
            waiting.select_related("alert__account", "alert__wallet", "recipient", "endpoint")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("id")[:MOST_IN_ONE]
        )
        if not rows:
            return False
        gathered = Delivery.objects.filter(pk__in=[one.pk for one in rows])
        recipient = rows[0].recipient
        assert recipient is not None, "what is gathered has its recipient"
        if recipient.bounced_at is not None:
            gathered.update(state=State.SUPPRESSED, next_at=None, reason="the mailbox does not exist")
            return False
        alert = Alert.objects.create(
            account_id=recipient.account_id,
            topic=TOPIC,
            key=f"{TOPIC}:{rows[0].public_id}",
            audience=rows[0].alert.audience,
            facts={"count": str(len(rows)), "lines": "\n".join(_line(one, at) for one in rows)},
            raised_at=at,
            resolved_at=at,
        )
        digest = Delivery.objects.create(
            alert=alert, channel=Delivery.Channel.EMAIL, recipient=recipient, address=recipient.email, next_at=at, created_at=at
        )
        gathered.update(state=State.GATHERED, next_at=None, gathered_in=digest)
    return True


def _line(delivery: Delivery, at: datetime) -> str:
    """What one of them says, in a line."""
    return render_subject(message_of(delivery, at=at))
