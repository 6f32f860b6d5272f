"""A credit lot is one grant of credit: its kind, priority, validity (half-open: from `effective_at` until before
`expires_at`), scope (`meters`; empty means all), price paid and remainder. A lot granted for the future is SCHEDULED and
enters the balance when its time comes; an OPEN lot can be drawn; EXHAUSTED, EXPIRED and VOIDED ones cannot. Credit that
comes back (a voided event) reopens the lot it was drawn from. remaining = sum of the lot's postings (proved), between
zero and amount (constraint lot_remainder_between_zero_and_amount).

An allowance is a lot counted in the units of one meter (`unit_meter`) instead of the wallet's currency: it obeys the same
rules, and stands in no balance of money."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from wallets.balances.models import Wallet
from wallets.ids import new_lot_id


class CreditLot(models.Model):
    """One grant of credit."""

    class Kind(models.TextChoices):
        PAID = "paid"
        PROMOTIONAL = "promotional"
        TRIAL = "trial"
        COMPENSATION = "compensation"
        PLAN = "plan"

    class State(models.TextChoices):
        SCHEDULED = "SCHEDULED"
        OPEN = "OPEN"
        EXHAUSTED = "EXHAUSTED"
        EXPIRED = "EXPIRED"
        VOIDED = "VOIDED"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_lot_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    unit_meter = models.CharField(
        max_length=120, blank=True, default="", help_text="of an allowance: the meter whose units it holds; empty: money"
    )
    state = models.CharField(max_length=9, choices=State)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    remaining = models.DecimalField(max_digits=30, decimal_places=12)
    price_paid = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    priority = models.SmallIntegerField(default=50, help_text="lower is drawn first")
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    meters = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="meter codes; empty: all")
    reason = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=120, blank=True, help_text="provider or lot it came from")
    created_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="lot_amount_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")), name="lot_remainder_between_zero_and_amount"
            ),
            models.CheckConstraint(condition=Q(price_paid__gte=0), name="lot_price_paid_not_negative"),
            models.CheckConstraint(
                condition=Q(unit_meter="") | (Q(price_paid=0) & ~Q(kind="paid")), name="lot_allowance_is_not_sold_by_itself"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("effective_at")),
                name="lot_expires_after_it_is_effective",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["SCHEDULED", "OPEN", "EXHAUSTED", "EXPIRED", "VOIDED"]), name="lot_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["paid", "promotional", "trial", "compensation", "plan"]), name="lot_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", remaining__gt=0) | (~Q(state="OPEN") & Q(remaining=0)),
                name="lot_open_exactly_while_it_has_credit",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["wallet", "priority", "expires_at"],
                condition=Q(state__in=["OPEN", "SCHEDULED"]),
                name="lot_open_of_wallet",
            ),
            models.Index(fields=["wallet", "created_at"], name="lot_of_wallet"),
            models.Index(fields=["expires_at"], condition=Q(state="OPEN", expires_at__isnull=False), name="lot_expiring"),
            models.Index(fields=["effective_at"], condition=Q(state="SCHEDULED"), name="lot_scheduled"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="lot_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="lot_terms_stay",
                fields=["wallet", "kind", "unit_meter", "amount", "price_paid", "effective_at", "meters", "bucket"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.kind}"
