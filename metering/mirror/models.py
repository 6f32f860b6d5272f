"""How much of each hour's usage was noted for the mirror: what is noted next is the difference, so that late usage and
corrections reach it too (constraint mirrored_hour_once)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pricing.meters.models import Meter
from wallets.accounts.models import Account


class MirroredHour(models.Model):
    """An account's hour on a meter. quantity: whole units noted so far, in `times` notes."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()
    quantity = models.BigIntegerField()
    times = models.IntegerField()

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "meter", "hour"], name="mirrored_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.meter_id} {self.hour}"
