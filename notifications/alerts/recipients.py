"""Who is told by mail: added, changed, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from notifications.alerts.models import Delivery, Recipient
from notifications.channels.topics import MAY_DECLINE, TOPICS
from wallets.accounts.models import Account
from wallets.errors import Conflict, NotFound
from wallets.input import Input

MOST_RECIPIENTS: Final = 50
LONGEST_EMAIL: Final = 254
State = Delivery.State


class TooManyRecipients(Conflict):
    """The account tells as many people as it may."""

    code = "too_many_recipients"


class RecipientExists(Conflict):
    """The address is told already."""

    code = "recipient_exists"


@dataclass(frozen=True, slots=True)
class RecipientTerms:
    """How somebody is told. topics: of MAY_DECLINE; empty: all. What is mandatory is always told, and at once."""

    email: str
    language: str = "en"
    time_zone: str = "UTC"
    topics: Sequence[str] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest: bool = False


def recipients_of(account: Account | None) -> QuerySet[Recipient]:
    """Whom an account (None: the vendor's finance) names, in the order they were added."""
    return Recipient.objects.filter(account=account, by_role=False).order_by("id")


def recipient_by_row(*, pk: int, account: Account | None) -> Recipient:
    """Raises NotFound, also when it is another account's."""
    recipient = recipients_of(account).filter(pk=pk).first()
    if recipient is None:
        raise NotFound("There is no such recipient.")
    return recipient


def add_recipient(*, account: Account | None, terms: RecipientTerms, at: datetime) -> Recipient:
    """Somebody more is told. Raises InvalidInput, RecipientExists, TooManyRecipients."""
    values = _checked(terms)
    with transaction.atomic():
        if account is not None:
            Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
        others = recipients_of(account)
        if others.filter(email__iexact=values["email"]).exists():
            raise RecipientExists(f"{values['email']} is told already.")
        if others.count() >= MOST_RECIPIENTS:
            raise TooManyRecipients(f"There are {MOST_RECIPIENTS} recipients already; remove one.")
        # Somebody who was told by role until now keeps what they unsubscribed from.
        told = Recipient.objects.filter(account=account, email__iexact=values["email"]).first()
        if told is not None:
            Recipient.objects.filter(pk=told.pk).update(by_role=False, **values)
            told.refresh_from_db()
            return told
        return Recipient.objects.create(account=account, created_at=at, **values)


def change_recipient(*, recipient: Recipient, terms: RecipientTerms) -> Recipient:
    """Told differently, at the same address. What it unsubscribed from and now chooses is told again. Raises InvalidInput."""
    values = _checked(terms)
    del values["email"]
    topics = values["topics"] or MAY_DECLINE
    values["unsubscribed"] = [topic for topic in recipient.unsubscribed if topic not in topics] if values["topics"] else []
    Recipient.objects.filter(pk=recipient.pk).update(**values)
    recipient.refresh_from_db()
    return recipient


def remove_recipient(*, recipient: Recipient) -> None:
    """Tell it nothing more; what waits for it is not sent."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(recipient=recipient, state__in=[State.WAITING, State.GATHERING])
        waiting.update(state=State.SUPPRESSED, next_at=None, reason="the recipient was removed")
        recipient.delete()


def _checked(terms: RecipientTerms) -> dict[str, Any]:
    asked = Input()
    email = asked.text("email", terms.email, longest=LONGEST_EMAIL, required=True)
    try:
        validate_email(email)
    except ValidationError:
        asked.expect("email", False, "an address such as billing@example.com")
    languages = [code for code, _ in settings.LANGUAGES]
    topics = asked.names("topics", list(terms.topics), longest=64, most=len(TOPICS))
    asked.expect("topics", set(topics) <= set(MAY_DECLINE), f"of {', '.join(MAY_DECLINE)}")
    both = (terms.quiet_from is None) == (terms.quiet_until is None)
    asked.expect("quiet_until", both, "both times, or neither")
    asked.expect(
        "quiet_until", terms.quiet_from is None or terms.quiet_from != terms.quiet_until, "another time than the start"
    )
    asked.expect("time_zone", terms.time_zone in available_timezones(), "a time zone such as Europe/Berlin")
    values = {
        "email": email,
        "language": asked.choice("language", terms.language, languages),
        "time_zone": terms.time_zone,
        "topics": topics,
        "quiet_from": terms.quiet_from,
        "quiet_until": terms.quiet_until,
        "digest": terms.digest,
    }
    asked.refuse("The recipient cannot be like this.")
    return values
