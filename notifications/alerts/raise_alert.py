"""Raise an alert: once for its key, with a delivery for each recipient, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.told_roles import told_of_account
from notifications.channels.topics import TOPICS
from notifications.channels.webhook.endpoints import endpoints_for
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account

FOR_BOOKKEEPING: Final = frozenset({"statement_issued", "top_up_succeeded", "refund_succeeded"})
_wake: list[Callable[[], None]] = []


def on_deliveries(wake: Callable[[], None]) -> None:
    """Have `wake` called after each commit that planned deliveries; it must not raise."""
    _wake.append(wake)


def raise_alert(  # noqa: PLR0913 - a row
    *,
    topic: str,
    key: str,
    account_id: int | None,
    wallet_id: int | None,
    facts: Mapping[str, str],
    at: datetime,
    audience: str = "customer",
    severity: str = "info",
    to: str | WebhookEndpoint = "",
) -> Alert | None:
    """The alert, its deliveries planned in the same transaction; None when it was raised before. to: a mail to this address, or
    this endpoint, and nothing else."""
    assert topic in TOPICS, topic
    with transaction.atomic():
        alert = Alert(
            account_id=account_id,
            wallet_id=wallet_id,
            topic=topic,
            key=key,
            audience=audience,
            severity=severity,
            mandatory=TOPICS[topic].mandatory,
            facts=dict(facts),
            raised_at=at,
        )
        made = Alert.objects.bulk_create([alert], ignore_conflicts=True)
        assert len(made) == 1
        raised = Alert.objects.filter(key=key, public_id=alert.public_id).first()
        if raised is None:
            return None
        Delivery.objects.bulk_create(_only(raised, to, at) if to else [*_mails(raised, at), *_webhooks(raised, at)])
        transaction.on_commit(wake_sender, robust=True)
    return raised


def wake_sender() -> None:
    """Have a worker look for deliveries."""
    for wake in _wake:
        wake()


def _mails(alert: Alert, at: datetime) -> list[Delivery]:
    """A mail for each recipient of the account, by name or by role (or of finance); an account without any is told at its own
    address."""
    account_id = alert.account_id if alert.audience == Alert.Audience.CUSTOMER else None
    if account_id is None and alert.audience == Alert.Audience.CUSTOMER:
        return []
    if account_id is None:
        recipients = list(Recipient.objects.filter(account__isnull=True).order_by("id"))
    else:
        recipients = told_of_account(account_id, at=at)
    if TOPICS[alert.topic].asked_for:
        recipients = [one for one in recipients if alert.topic in one.topics]
    elif not recipients and account_id is not None:
        email = Account.objects.values_list("email", flat=True).get(pk=account_id)
        addresses = dict.fromkeys([email, *_invoice_emails(alert)] if email else _invoice_emails(alert))
        return [_delivery(alert, at, channel="email", address=one) for one in addresses]
    told = {one.email.lower() for one in recipients}
    planned = [_delivery(alert, at, channel="email", address=one) for one in _invoice_emails(alert) if one.lower() not in told]
    for recipient in recipients:
        if recipient.topics and alert.topic not in recipient.topics and not alert.mandatory:
            continue
        planned.append(_delivery(alert, at, channel="email", recipient=recipient, address=recipient.email))
        if recipient.bounced_at is not None:
            _suppress(planned[-1], "the mailbox does not exist")
        elif alert.topic in recipient.unsubscribed and not alert.mandatory:
            _suppress(planned[-1], "unsubscribed")
    return planned


def _invoice_emails(alert: Alert) -> list[str]:
    """Who gets what is for the customer's bookkeeping, beside the recipients."""
    if alert.topic not in FOR_BOOKKEEPING or alert.account_id is None or alert.audience != Alert.Audience.CUSTOMER:
        return []
    emails = BillingDetails.objects.filter(account_id=alert.account_id).values_list("invoice_emails", flat=True).first()
    return list(emails or ())


def _webhooks(alert: Alert, at: datetime) -> list[Delivery]:
    account_id = alert.account_id if alert.audience == Alert.Audience.CUSTOMER else None
    return [_webhook(alert, endpoint, at) for endpoint in endpoints_for(topic=alert.topic, account_id=account_id)]


def _webhook(alert: Alert, endpoint: WebhookEndpoint, at: datetime) -> Delivery:
    channel = "slack" if endpoint.kind == WebhookEndpoint.Kind.SLACK else "webhook"
    return _delivery(alert, at, channel=channel, endpoint=endpoint, address=endpoint.url)


def _only(alert: Alert, to: str | WebhookEndpoint, at: datetime) -> list[Delivery]:
    return [_delivery(alert, at, channel="email", address=to) if isinstance(to, str) else _webhook(alert, to, at)]


def _delivery(
    alert: Alert,
    at: datetime,
    *,
    channel: str,
    address: str,
    recipient: Recipient | None = None,
    endpoint: WebhookEndpoint | None = None,
) -> Delivery:
    return Delivery(
        alert=alert, channel=channel, address=address, recipient=recipient, endpoint=endpoint, next_at=at, created_at=at
    )


def _suppress(delivery: Delivery, reason: str) -> None:
    delivery.state, delivery.reason, delivery.next_at = Delivery.State.SUPPRESSED, reason, None
