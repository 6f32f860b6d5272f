"""A threshold rule says what is done, besides telling the customer, when a wallet falls to a threshold: notify, recharge,
throttle, block or call a webhook. One rule, one action; several rules may stand at one threshold.

A rule acts once for a crossing (constraint rule_acts_once_for_a_crossing). What throttles or blocks is lifted when the balance
is back above the rule's threshold, or the rule is switched off (`lifted_at`).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from notifications.channels.webhook.models import WebhookEndpoint
from wallets.accounts.models import Account
from wallets.balances.models import Wallet


class ThresholdRule(models.Model):
    """What is done when a wallet falls to a threshold."""

    class Then(models.TextChoices):
        NOTIFY = "notify", "Notify: tell the customer or finance"
        RECHARGE = "recharge", "Recharge: by the wallet's own auto-recharge, earlier than it says"
        THROTTLE = "throttle", "Throttle: let its calls through slowly"
        BLOCK = "block", "Block: let no call through"
        WEBHOOK = "webhook", "Call a webhook of ours"

    class Audience(models.TextChoices):
        CUSTOMER = "customer", "the customer"
        FINANCE = "finance", "our finance"

    name = models.CharField(max_length=120, help_text="Stands in what is told.")
    is_on = models.BooleanField(default=True, help_text="Off: acts no more, and what it throttled or blocked is lifted.")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="threshold_rules", null=True, blank=True, help_text="Empty: all."
    )
    currency = models.CharField(max_length=16, blank=True, help_text="Wallets in this currency; empty: in all.")
    percent = models.SmallIntegerField(
        null=True,
        blank=True,
        help_text="At or below this share of the wallet's reference; 0: used up. A wallet that is not watched at this "
        "percentage acts at its next one below.",
    )
    amount = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        null=True,
        blank=True,
        help_text="Or at or below this amount, which the wallet must be watched at; needs a currency.",
    )
    then = models.CharField(max_length=8, choices=Then)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.FINANCE, help_text="Of notify.")
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.PROTECT,
        related_name="threshold_rules",
        null=True,
        blank=True,
        limit_choices_to={"account__isnull": True, "removed_at__isnull": True},
        help_text="Of call a webhook: one of ours.",
    )

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(percent__isnull=True) ^ Q(amount__isnull=True),
                name="rule_at_a_percentage_or_an_amount",
                violation_error_message="Give either a percentage or an amount.",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__gte=0, percent__lte=99),
                name="rule_percent_below_100",
                violation_error_message="A percentage is from 0 to 99.",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | (Q(amount__gt=0) & ~Q(currency="")),
                name="rule_amount_has_a_currency",
                violation_error_message="An amount is above zero, and has a currency.",
            ),
            models.CheckConstraint(
                condition=Q(then="webhook", endpoint__isnull=False) | (~Q(then="webhook") & Q(endpoint__isnull=True)),
                name="rule_webhook_has_its_endpoint",
                violation_error_message="Calling a webhook needs an endpoint; nothing else takes one.",
            ),
            models.CheckConstraint(
                condition=Q(then__in=["notify", "recharge", "throttle", "block", "webhook"]), name="rule_then_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleAct(models.Model):
    """What a rule did, or could not do, about one crossing."""

    rule = models.ForeignKey(ThresholdRule, on_delete=models.PROTECT, related_name="acts")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="rule_acts")
    crossing_number = models.BigIntegerField()
    then = models.CharField(max_length=8, choices=ThresholdRule.Then)
    done = models.BooleanField()
    note = models.CharField(max_length=300, blank=True, help_text="why it was not done")
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True, help_text="of throttle and block: no longer")

    class Meta:
        app_label = "notifications"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rule", "wallet", "crossing_number"], name="rule_acts_once_for_a_crossing"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["wallet"],
                condition=Q(done=True, lifted_at__isnull=True, then__in=["throttle", "block"]),
                name="rule_act_restricts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.then} {self.wallet_id}"
