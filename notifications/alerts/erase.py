"""Forget addresses: whom an account told, and what a person was told. That something was told, and when, stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.channels.email.kept import KeptMail
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.accounts.models import Account

ERASED: Final = "erased"
PEOPLE: Final = ("email", "actor", "address")
"""Facts that name a person."""


def erase_account(*, account: Account, at: datetime) -> None:
    """Forget a closed account's mailboxes and endpoints, and who stood in what it was told."""
    with transaction.atomic():
        mailboxes = set(Recipient.objects.filter(account=account).values_list("email", flat=True))
        deliveries = Delivery.objects.filter(alert__account=account)
        deliveries.filter(state__in=["WAITING", "SENDING", "GATHERING"]).update(
            state="SUPPRESSED", reason="the account was deleted", next_at=None, claimed_until=None
        )
        deliveries.update(address=ERASED, recipient=None, answer="")
        Recipient.objects.filter(account=account).delete()
        WebhookEndpoint.objects.filter(account=account).update(
            url="https://erased.invalid/", description="", sealed_secret="", sealed_previous_secret="",
            previous_secret_until=None,
            state=WebhookEndpoint.State.DISABLED, disabled_at=at, disabled_reason="the account was deleted", removed_at=at,
        )  # fmt: skip
        _without_people("account_id = %s", [account.pk])
        KeptMail.objects.filter(address__in=mailboxes).delete()


def erase_address(*, address: str) -> None:
    """Forget a person's address wherever they were told something."""
    with transaction.atomic():
        Delivery.objects.filter(address=address).update(address=ERASED)
        Recipient.objects.filter(email=address).delete()
        _without_people("facts->>'email' = %s OR facts->>'actor' = %s", [address, address])
        KeptMail.objects.filter(address=address).delete()


def _without_people(which: str, values: list[Any]) -> None:
    table = Alert._meta.db_table  # noqa: SLF001 - Django's own way to ask
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET facts = facts - %s::text[] WHERE {which}", [list(PEOPLE), *values])  # noqa: S608
