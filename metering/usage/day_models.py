"""Usage added up by days (UTC), for reports over all accounts: derived from the hourly roll-ups, and proved against them
(`days.py`). Each day stands twice: by account, and over all accounts (account empty), so that what nobody asks by account
is read from few rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pricing.meters.models import Meter
from wallets.accounts.models import Account


class UsageDay(models.Model):
    """The sum of a day's hourly usage."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(help_text="UTC")
    account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=16)
    dimensions = models.JSONField()
    events = models.BigIntegerField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    cost = models.DecimalField(max_digits=30, decimal_places=12)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["day", "account", "meter", "currency", "dimensions"],
                condition=models.Q(account__isnull=False),
                name="usage_day_once_per_account",
            ),
            models.UniqueConstraint(
                fields=["day", "meter", "currency", "dimensions"],
                condition=models.Q(account__isnull=True),
                name="usage_day_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.meter_id}"
