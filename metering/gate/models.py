"""What the gate has decided, kept. Redis counts each decision in the minute in which it falls (`client/redis_decision.py`);
every few seconds what it counted is copied here (`keep.py`), so that losing Redis loses less than a minute of it.

    GateDecisions   decisions by reason (allow, or why not)
    RefusedRevenue  what refused calls of an account would have cost, as far as that was known
    CopyCheck       a comparison of Redis with PostgreSQL, and what was put right

The first two have rows of a minute; old minutes are added up to rows of an hour (`length`), and these are deleted in the end.
A minute's row holds the most that Redis was seen to have counted, so copying again changes nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from wallets.accounts.models import Account


class Length(models.TextChoices):
    """How long a row's time is."""

    MINUTE = "minute"
    HOUR = "hour"


class GateDecisions(models.Model):
    """How often the gate decided so."""

    length = models.CharField(max_length=6, choices=Length)
    start = models.DateTimeField()
    reason = models.CharField(max_length=32, help_text="allow, or why not")
    decisions = models.BigIntegerField()

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["start", "length", "reason"], name="gate_decisions_once"),
            models.CheckConstraint(condition=Q(length__in=["minute", "hour"]), name="gate_decisions_length_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.start} {self.reason}"


class RefusedRevenue(models.Model):
    """What calls that were refused or throttled would have cost."""

    length = models.CharField(max_length=6, choices=Length)
    start = models.DateTimeField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["start", "length", "account", "currency"], name="refused_revenue_once"),
            models.CheckConstraint(condition=Q(length__in=["minute", "hour"]), name="refused_revenue_length_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.start} {self.account_id}"


class CopyCheck(models.Model):
    """One check of the gate's copy (`wallets/balances/publish.py`, Drift)."""

    checked_at = models.DateTimeField()
    accounts = models.IntegerField()
    missing = models.IntegerField()
    behind = models.IntegerField()
    different = models.IntegerField()
    settings = models.IntegerField()

    class Meta:
        app_label = "metering"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["checked_at"], name="copy_check_by_time")]

    def __str__(self) -> str:
        return f"{self.checked_at}"

    @property
    def drift(self) -> int:
        """Everything that was not as it should be."""
        return self.missing + self.behind + self.different + self.settings
