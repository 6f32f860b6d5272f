"""What the provider told, and what does not add up.

A webhook is stored, once (constraint provider_event_once), before anything is done about it, as it came: RECEIVED, then DONE
or IGNORED, or FAILED and tried again. A payment exception is a difference between the provider and the books that a person
has to look at, opened once per thing it is about (constraint payment_exception_once).
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import User
from wallets.payments.models import TopUp


class ProviderEvent(models.Model):
    """A signed webhook."""

    class State(models.TextChoices):
        RECEIVED = "RECEIVED"
        DONE = "DONE"
        IGNORED = "IGNORED"
        FAILED = "FAILED"

    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=120)
    object_id = models.CharField(max_length=200, blank=True)
    body = models.BinaryField()
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.RECEIVED)
    tries = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    what = models.CharField(max_length=300, blank=True, help_text="what was done about it, or why not")
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="provider_event_once"),
            models.CheckConstraint(
                condition=Q(state__in=["RECEIVED", "DONE", "IGNORED", "FAILED"]), name="provider_event_state_is_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["object_id"], name="provider_event_of_object"),
            models.Index(
                fields=["next_try_at"], condition=Q(state__in=["RECEIVED", "FAILED"]), name="provider_event_to_handle"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.ReadOnly(
                name="provider_event_stays",
                fields=["provider", "provider_id", "kind", "object_id", "body", "happened_at", "received_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"


class PaymentException(models.Model):
    """A difference between the provider and the books."""

    class Kind(models.TextChoices):
        MISSING_CREDIT = "missing_credit"
        CREDIT_WITHOUT_PAYMENT = "credit_without_payment"
        AMOUNT_DIFFERS = "amount_differs"
        PAYMENT_UNKNOWN = "payment_unknown"
        UNEXPLAINED = "unexplained"

    kind = models.CharField(max_length=24, choices=Kind)
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=200, help_text="the provider's id of the payment or line, or the lot")
    top_up = models.ForeignKey(TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="exceptions")
    currency = models.CharField(max_length=16)
    expected = models.DecimalField(max_digits=30, decimal_places=12, help_text="by our books")
    found = models.DecimalField(max_digits=30, decimal_places=12, help_text="at the provider")
    detail = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="who looks at it"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "provider", "reference"], name="payment_exception_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["opened_at"], condition=Q(closed_at__isnull=True), name="payment_exception_open"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="payment_exception_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
