"""Mailboxes that do not exist, and people who called our mail spam: known from an answer of the mail server, or told afterwards
by the mail service."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from notifications.alerts.models import Delivery, Recipient
from notifications.channels.topics import MAY_DECLINE
from wallets.accounts.models import Account

State = Delivery.State


def note_bounce(*, email: str, at: datetime, delivery: str = "") -> int:
    """A mailbox does not exist: nothing more is sent to it. delivery: the mail that bounced. Returns how many recipients.

    An account that is told at its own address gets that as its recipient, so that it sees what is wrong.
    """
    with transaction.atomic():
        _make_recipients(email, at)
        Delivery.objects.filter(public_id=delivery, channel="email", state__in=[State.SENT, State.UNCERTAIN]).update(
            state=State.FAILED, reason="it bounced: the mailbox does not exist"
        )
        found = Recipient.objects.filter(email__iexact=email)
        found.filter(bounced_at__isnull=True).update(bounced_at=at)
        return found.count()


def note_complaint(*, email: str, at: datetime, delivery: str = "") -> int:  # noqa: ARG001 - as a bounce; it did arrive
    """Somebody called our mail spam: only what is mandatory is sent from now on. Returns how many recipients."""
    with transaction.atomic():
        _make_recipients(email, at)
        return Recipient.objects.filter(email__iexact=email).update(unsubscribed=list(MAY_DECLINE), complained_at=at)


def forget_bounce(*, recipient: Recipient) -> None:
    """The mailbox works again."""
    Recipient.objects.filter(pk=recipient.pk).update(bounced_at=None)


def _make_recipients(email: str, at: datetime) -> None:
    own = Account.objects.filter(email__iexact=email, recipients__isnull=True)
    made = [Recipient(account=one, email=one.email, time_zone=one.time_zone, created_at=at) for one in own]
    Recipient.objects.bulk_create(made, ignore_conflicts=True)
