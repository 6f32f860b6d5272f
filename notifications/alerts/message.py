"""A delivery's message: everything its channel needs, read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from notifications.alerts.models import Alert, Delivery
from notifications.alerts.unsubscribe import unsubscribe_token
from notifications.channels.contract import Message
from notifications.channels.topics import MAY_DECLINE
from notifications.channels.webhook.endpoints import signing_secrets
from wallets.accounts.invite_member import invitation_link
from wallets.accounts.models import Account, Invitation
from wallets.refunds.models import Withdrawal
from wallets.refunds.states import REQUESTED
from wallets.refunds.withdraw import confirmation_link


def message_of(delivery: Delivery, *, at: datetime) -> Message:
    """The message of a delivery that was read with its alert, account, wallet, recipient and endpoint."""
    alert, recipient, endpoint = delivery.alert, delivery.recipient, delivery.endpoint
    account = alert.account
    may_decline = recipient is not None and alert.topic in MAY_DECLINE
    return Message(
        delivery=delivery.public_id,
        event=alert.public_id,
        topic=alert.topic,
        happened_at=alert.raised_at,
        address=endpoint.url if endpoint is not None else delivery.address,
        account=account.key if account else "",
        account_name=account.name if account else "",
        wallet=alert.wallet.public_id if alert.wallet else "",
        severity=alert.severity,
        mandatory=alert.mandatory,
        facts={name: str(value) for name, value in alert.facts.items()} | secret_facts(alert.topic, alert.facts),
        language=recipient.language if recipient else "en",
        time_zone=recipient.time_zone if recipient else account.time_zone if account else "UTC",
        secrets=tuple(signing_secrets(endpoint, at=at)) if endpoint is not None else (),
        unsubscribe=f"{settings.SITE_URL}/unsubscribe/{unsubscribe_token(recipient, alert.topic)}" if may_decline else "",
    )


def message_of_alert(alert: Alert, account: Account, *, language: str, time_zone: str) -> Message:
    """What an alert of an account says on a page, to nobody in particular: without secrets."""
    return Message(
        delivery="",
        event=alert.public_id,
        topic=alert.topic,
        happened_at=alert.raised_at,
        account=account.key,
        account_name=account.name,
        facts={name: str(value) for name, value in alert.facts.items()},
        language=language,
        time_zone=time_zone,
    )


def secret_facts(topic: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """What only the message may say and no table: links that are as good as a signature. Empty when a link leads nowhere any
    more."""
    if topic == "withdrawal_requested":
        withdrawal = Withdrawal.objects.filter(public_id=facts.get("withdrawal", ""), state=REQUESTED).first()
        return {"link": confirmation_link(withdrawal)} if withdrawal is not None else {}
    if topic == "member_invited":
        invitations = Invitation.objects.filter(public_id=facts.get("invitation", ""), state=Invitation.State.PENDING)
        invitation = invitations.first()
        if invitation is None:
            return {}
        role = invitation.get_role_display().lower()
        return {"link": invitation_link(invitation), "role": role, "expires_at": invitation.expires_at.isoformat()}
    return {}
