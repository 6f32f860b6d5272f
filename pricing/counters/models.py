"""What a wallet used at a price in a period: the counters by which cumulative prices keep their rule, that the charges of a
period add up to the price of its net total. A counter lives beside its wallet and changes only under the wallet's lock.

`quantity` is what was priced (what allowances covered is not in it); `measured` is where the meter itself stands, for those
that charge the increase (max, unique, latest). `places` numbers the counter's charges. The charges that drew are a stack, each
naming the one below it; `drew_event` and `drew_line` name its top, where what goes back is taken from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from pricing.books.models import Price
from wallets.balances.models import Wallet


class PriceCounter(models.Model):
    """One wallet, one price, one period."""

    id = models.BigIntegerField(primary_key=True)
    bucket = models.SmallIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    period_start = models.DateTimeField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    measured = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    events = models.BigIntegerField(default=0)
    places = models.BigIntegerField(default=0)
    latest_at = models.DateTimeField(null=True, help_text="latest: time of the event that says where the meter stands")
    drew_event = models.BigIntegerField(null=True, help_text="row id of the event whose charge drew last and stands")
    drew_line = models.SmallIntegerField(null=True, help_text="which charge of that event")

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["bucket", "wallet", "price", "period_start"], name="counter_once_per_wallet_price_and_period"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="counter_quantity_not_negative"),
            models.CheckConstraint(condition=Q(measured__gte=0), name="counter_measured_not_negative"),
            models.CheckConstraint(condition=Q(events__gte=0, places__gte=0), name="counter_numbers_not_negative"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="counter_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="counter_key_stays", fields=["bucket", "wallet", "price", "period_start"]),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.price_id} {self.period_start}"


class CounterMember(models.Model):
    """A value that a `unique` meter has seen in a counter's period, and how many events that stand carry it."""

    pk = models.CompositePrimaryKey("counter_id", "value")
    bucket = models.SmallIntegerField()
    counter = models.ForeignKey(
        PriceCounter, on_delete=models.PROTECT, related_name="members", db_constraint=False, db_index=False
    )
    value = models.BinaryField(max_length=32, help_text="SHA-256 of the value's text")
    events = models.BigIntegerField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(events__gte=0), name="counter_member_events_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.counter_id} {bytes(self.value).hex()}"
