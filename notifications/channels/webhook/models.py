"""A webhook endpoint is an address of a customer (account) or of the vendor (no account) that is told of the events it
chose. Requests are signed by the Standard Webhooks specification.

A secret is needed to sign, so it can be opened; it stands sealed (`sealed.py`). After a rotation the one before signs too until
`previous_secret_until`, so that a receiver can change without losing an event (constraint endpoint_previous_secret_has_end).
An endpoint that failed for long is DISABLED: nothing more is sent until somebody enables it.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from notifications.channels.webhook.sealed import unseal
from wallets.accounts.models import Account
from wallets.ids import new_public_id


def new_endpoint_id() -> str:
    """whe_…"""
    return new_public_id("whe")


class WebhookEndpoint(models.Model):
    """Where to, what of, and with which secret."""

    class Kind(models.TextChoices):
        STANDARD = "STANDARD"
        SLACK = "SLACK"

    class State(models.TextChoices):
        ACTIVE = "ACTIVE"
        DISABLED = "DISABLED"

    public_id = models.CharField(max_length=32, unique=True, default=new_endpoint_id)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="webhook_endpoints",
        null=True,
        blank=True,
        help_text="empty: the vendor's",
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.STANDARD)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=64), default=list, blank=True, help_text="empty: all")
    sealed_secret = models.CharField(max_length=400)
    sealed_previous_secret = models.CharField(max_length=400, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="no request was taken since")
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(kind__in=["STANDARD", "SLACK"]), name="endpoint_kind_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=["ACTIVE", "DISABLED"]), name="endpoint_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(kind="STANDARD") | models.Q(account__isnull=True), name="endpoint_for_slack_is_the_vendors"
            ),
            models.CheckConstraint(
                condition=models.Q(sealed_previous_secret="") ^ models.Q(previous_secret_until__isnull=False),
                name="endpoint_previous_secret_has_end",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ACTIVE") ^ models.Q(disabled_at__isnull=False), name="endpoint_disabled_since_when"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "id"], condition=models.Q(removed_at__isnull=True), name="endpoint_of_account"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """What requests are signed with. Raises SecretLost."""
        return unseal(self.sealed_secret)
