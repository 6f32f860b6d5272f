"""An alert is one thing told once (constraint alert_key_is_told_once). A delivery is the alert on its way to one recipient over
one channel; an attempt is one try of it.

A delivery is WAITING until `next_at`, SENDING while a worker has it (until `claimed_until`; then it is taken back), SENT when
the other side has it, FAILED when it never will, GIVEN_UP after the last attempt, SUPPRESSED when it was decided not to send
(`reason`), UNCERTAIN when a worker died while a mail was handed over (`handed_over_at`): nobody can know, and asking again
could give it twice. GATHERING waits to be put into one mail with others at `next_at`, GATHERED is in it (`gathered_in`). CHECK
delivery_state_is_known; the moves are in send.py, gather.py and resend.py.

A held alert waits: a recharge that is on its way will make it false. It is TOLD when the recharge did not come, OVERTAKEN when
it did (`hold_back.py`).
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from notifications.channels.webhook.models import WebhookEndpoint
from wallets.accounts.models import Account, Member
from wallets.balances.models import Wallet
from wallets.ids import new_public_id


def new_alert_id() -> str:
    """alt_…"""
    return new_public_id("alt")


def new_delivery_id() -> str:
    """dlv_…"""
    return new_public_id("dlv")


class Recipient(models.Model):
    """A mailbox that is told: of an account, or (account empty) of the vendor's finance."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="recipients", null=True, blank=True)
    email = models.EmailField()
    language = models.CharField(max_length=16, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    topics = ArrayField(models.CharField(max_length=64), default=list, blank=True, help_text="empty: all")
    unsubscribed = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    quiet_from = models.TimeField(null=True, blank=True, help_text="of its time zone; what is not mandatory waits")
    quiet_until = models.TimeField(null=True, blank=True)
    digest = models.BooleanField(default=False, help_text="what is not mandatory comes once a day")
    by_role = models.BooleanField(default=False, help_text="told as a member of a told role, as long as it is one")
    bounced_at = models.DateTimeField(null=True, blank=True, help_text="its mailbox does not exist; nothing is sent")
    complained_at = models.DateTimeField(
        null=True, blank=True, help_text="called our mail spam; only what is mandatory is sent"
    )
    created_at = models.DateTimeField()

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "email"], name="recipient_once_per_account", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return self.email


class ToldRole(models.Model):
    """Whoever has this role in the account is told."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Member.Role)

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "role"], name="told_role_once_per_account"),
            models.CheckConstraint(
                condition=Q(role__in=["OWNER", "ADMIN", "BILLING", "DEVELOPER", "VIEWER"]), name="told_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.role}"


class Alert(models.Model):
    """One thing told. key: of what it tells, so that it is told once. facts: text by name, as its templates use them."""

    class Audience(models.TextChoices):
        CUSTOMER = "customer"
        FINANCE = "finance"

    public_id = models.CharField(max_length=32, unique=True, default=new_alert_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="alerts", null=True, blank=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="alerts", null=True, blank=True)
    topic = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.CUSTOMER)
    severity = models.CharField(max_length=8, default="info")
    mandatory = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True, help_text="no longer so")
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="taken off the banner by somebody")

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key"], name="alert_key_is_told_once"),
            models.CheckConstraint(condition=Q(audience__in=["customer", "finance"]), name="alert_audience_is_known"),
            models.CheckConstraint(condition=Q(severity__in=["info", "warning", "critical"]), name="alert_severity_is_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "-id"], name="alert_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class Delivery(models.Model):
    """An alert on its way to one recipient over one channel."""

    class Channel(models.TextChoices):
        EMAIL = "email"
        WEBHOOK = "webhook"
        SLACK = "slack"

    class State(models.TextChoices):
        WAITING = "WAITING"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"
        GIVEN_UP = "GIVEN_UP"
        SUPPRESSED = "SUPPRESSED"
        UNCERTAIN = "UNCERTAIN"
        GATHERING = "GATHERING"
        GATHERED = "GATHERED"

    public_id = models.CharField(max_length=32, unique=True, default=new_delivery_id)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel)
    recipient = models.ForeignKey(Recipient, on_delete=models.SET_NULL, related_name="deliveries", null=True, blank=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", null=True, blank=True)
    gathered_in = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="gathered", null=True, blank=True, help_text="the mail that holds it"
    )
    address = models.CharField(max_length=500, help_text="where to, as it was when it was planned")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True, help_text="why it was not sent")
    attempts = models.PositiveIntegerField(default=0)
    attempts_before = models.PositiveIntegerField(default=0, help_text="attempts made when it was last asked for again")
    next_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    answer_status = models.IntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "notifications"
        verbose_name_plural = "deliveries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "SENDING", "SENT", "FAILED", "GIVEN_UP", "SUPPRESSED", "UNCERTAIN"])
                | Q(state__in=["GATHERING", "GATHERED"], channel="email"),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["email", "webhook", "slack"]), name="delivery_channel_is_known"),
            models.CheckConstraint(
                condition=Q(channel="email") ^ Q(endpoint__isnull=False), name="delivery_of_a_webhook_has_its_endpoint"
            ),
            models.CheckConstraint(condition=~Q(state="SENT") | Q(sent_at__isnull=False), name="delivery_sent_has_its_time"),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "GATHERING"]) ^ Q(next_at__isnull=True), name="delivery_waiting_until_when"
            ),
            models.CheckConstraint(
                condition=~Q(state="GATHERED") | Q(gathered_in__isnull=False), name="delivery_gathered_has_its_mail"
            ),
            models.CheckConstraint(
                condition=Q(state="SENDING") ^ Q(claimed_until__isnull=True), name="delivery_sending_is_claimed"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at", "id"], condition=Q(state="WAITING"), name="delivery_due"),
            models.Index(fields=["next_at", "id"], condition=Q(state="GATHERING"), name="delivery_gathering"),
            models.Index(fields=["recipient", "sent_at"], condition=Q(state="SENT"), name="delivery_sent_to_recipient"),
            models.Index(fields=["id"], condition=Q(state="UNCERTAIN"), name="delivery_uncertain"),
            models.Index(fields=["claimed_until"], condition=Q(state="SENDING"), name="delivery_claimed"),
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
            models.Index(fields=["alert"], name="delivery_of_alert"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"


class Attempt(models.Model):
    """One try of a delivery."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10)
    status = models.IntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"


class HeldAlert(models.Model):
    """A threshold that was crossed and is not told yet, because a recharge is on its way."""

    class State(models.TextChoices):
        HELD = "HELD"
        TOLD = "TOLD"
        OVERTAKEN = "OVERTAKEN"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="held_alerts")
    topic = models.CharField(max_length=64)
    key = models.CharField(max_length=200, unique=True)
    severity = models.CharField(max_length=8)
    level = models.DecimalField(max_digits=30, decimal_places=12, help_text="it is true while the balance is not above")
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.HELD)
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state="HELD", ended_at__isnull=True) | Q(state__in=["TOLD", "OVERTAKEN"], ended_at__isnull=False),
                name="held_alert_ends_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet"], condition=Q(state="HELD"), name="held_alert_of_wallet"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"
