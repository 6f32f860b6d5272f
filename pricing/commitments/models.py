"""A commitment: an account pays `amount` every hour or month for a term, used or not, and gets `discount_percent` off the list
price of the usage it covers (`cover.py` says what happens at the border). Each period is one fee and one `plan` lot, scoped to
the meters, that holds what the amount covers at list prices and ends with the period; it is drawn first. A period is charged
once (constraint commitment_period_once).

    each period   Dr the lots' liability   amount       Cr fees : commitment:…       amount
                  Dr promotional cost      face value   Cr promotional liability     face value
    usage         Dr promotional liability              Cr revenue of the meter, at list price
    unused        Dr promotional liability              Cr promotional cost

So revenue by meter stands at list prices, the discount and what was not used in the promotional cost, and the sum of all is
the amount committed.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ids import new_public_id


def new_commitment_id() -> str:
    """cmt_…"""
    return new_public_id("cmt")


class Commitment(models.Model):
    """What an account committed to. Its terms never change; it ends with its term."""

    class Interval(models.TextChoices):
        HOUR = "hour"
        MONTH = "month"

    public_id = models.CharField(max_length=32, unique=True, default=new_commitment_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="commitments")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="commitments")
    name = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="per interval")
    interval = models.CharField(max_length=5, choices=Interval)
    discount_percent = models.DecimalField(max_digits=30, decimal_places=12)
    meters = ArrayField(models.CharField(max_length=120), help_text="meter codes")
    time_zone = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    periods = models.PositiveIntegerField(help_text="the term, in intervals")
    begun = models.PositiveIntegerField(default=0)
    next_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="commitment_amount_positive"),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lt=100), name="commitment_discount_is_a_percentage"
            ),
            models.CheckConstraint(condition=Q(interval__in=["hour", "month"]), name="commitment_interval_is_known"),
            models.CheckConstraint(
                condition=Q(begun=F("periods"), next_due_at__isnull=True)
                | Q(begun__lt=F("periods"), next_due_at__isnull=False),
                name="commitment_due_until_its_term_ends",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="commitment_due"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="commitment_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="commitment_terms_stay",
                fields=[
                    "account", "wallet", "amount", "interval", "discount_percent", "meters", "time_zone", "starts_at",
                    "ends_at", "periods",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def fee_code(self) -> str:
        """What its fees are booked as."""
        return f"commitment:{self.public_id}"


class CommitmentPeriod(models.Model):
    """One period that was charged, with its lot; or one that had passed before it could be, and is not charged."""

    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="charged")
    index = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    entry_id = models.BigIntegerField(null=True, help_text="the journal entry of the fee; none for a period that was missed")
    lot = models.OneToOneField(CreditLot, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["commitment", "index"], name="commitment_period_once"),
            models.CheckConstraint(
                condition=Q(entry_id__isnull=True, lot__isnull=True) | Q(entry_id__isnull=False, lot__isnull=False),
                name="commitment_period_is_charged_with_its_lot",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("commitment_period")]

    def __str__(self) -> str:
        return f"{self.commitment_id} {self.index}"
