"""What happened and what it cost. An event charges once per account (constraint event_once_per_account, I3). A charge is
one event on one meter; its place on the journal entry's line for its meter (`line_from`, `amount`) says which lots it drew
(`explain.py`). Events and charges are append-only (triggers): a void adds a charge with the signs turned that `reverses`
the first, once. Hourly usage is the sum of charges by account, meter, hour and the meter's dimensions.

A charge at a cumulative price belongs to a counter (`pricing/counters`) and has a place in it, its own or by the run it is of
(`CounterRun`, `runs.py`); its amount may be negative,
and what goes back then, or with a void, is taken from draws of that counter: a returned draw says of which charge how much.

Foreign keys of these tables carry no database constraint: their targets are never deleted (triggers), a check per row
would be paid a million times a minute, and `prove` checks all of them at once.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from pricing.books.models import Price
from pricing.counters.models import PriceCounter
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.ledger.models import JournalEntry


class ExactNumbers(json.JSONDecoder):
    """Reads a number with a fraction as the text it is: a float would change it, or could not hold it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parse_float=str, **options)


class UsageEvent(models.Model):
    """A billable fact as it was sent. `event_id` is the sender's; CloudEvents: source, space, id."""

    id = models.BigIntegerField(primary_key=True)
    bucket = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    event_id = models.CharField(max_length=512)
    type = models.CharField(max_length=120)
    time = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField(decoder=ExactNumbers)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bucket", "account", "event_id"], name="event_once_per_account"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "time"], name="event_of_account_by_time"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("event"),
        ]

    def __str__(self) -> str:
        return self.event_id


class Charge(models.Model):
    """One event on one meter: quantity, price, amount, cost, and where its lots are."""

    pk = models.CompositePrimaryKey("event_id", "line")
    event = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="charges", db_constraint=False, db_index=False)
    line = models.SmallIntegerField()
    bucket = models.SmallIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    cost = models.DecimalField(max_digits=30, decimal_places=12)
    entry = models.ForeignKey(
        JournalEntry, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False,
        help_text="empty when nothing was drawn",
    )  # fmt: skip
    line_from = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    reverses = models.SmallIntegerField(null=True, help_text="line of the charge this one undoes")
    counter = models.ForeignKey(
        PriceCounter, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False,
        help_text="where the price is cumulative",
    )  # fmt: skip
    counter_place = models.BigIntegerField(null=True, help_text="which charge of its counter this is, from 1")
    previous_event = models.BigIntegerField(
        null=True, help_text="row id of the event whose charge of the counter drew before this"
    )
    previous_line = models.SmallIntegerField(null=True, help_text="which charge of that event")
    prior_quantity = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, help_text="what the counter had priced before"
    )
    prior_events = models.BigIntegerField(null=True, help_text="events the counter had seen before")
    measured = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, help_text="what the event said, where the increase is charged"
    )
    allowance = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, help_text="part of the quantity that allowances covered"
    )
    allowance_from = models.DecimalField(max_digits=30, decimal_places=12, null=True)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["event", "reverses"], condition=Q(reverses__isnull=False), name="charge_reversed_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["counter", "counter_place"], condition=Q(measured__isnull=False), name="measured_charge_of_counter"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("charge"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}/{self.line} {self.amount}"


class CounterRun(models.Model):
    """Charges of a counter that one entry drew, all of them on one slope of its price. They stand in the order of their events'
    row ids from `first_event` on and name their counter and nothing else of it: what each found the counter at is what it
    stood at before the first, and what the run's charges before it say."""

    pk = models.CompositePrimaryKey("counter_id", "entry_id")
    bucket = models.SmallIntegerField()
    counter = models.ForeignKey(PriceCounter, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    prior_quantity = models.DecimalField(max_digits=30, decimal_places=12, help_text="what the counter had priced before")
    prior_events = models.BigIntegerField(help_text="events the counter had seen before")
    prior_places = models.BigIntegerField(help_text="charges the counter had before")
    first_event = models.BigIntegerField(help_text="row id of the event of its first charge")
    charges = models.IntegerField()
    drew_event = models.BigIntegerField(null=True, help_text="row id of the event whose charge drew last before")
    drew_line = models.SmallIntegerField(null=True, help_text="which charge of that event")

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(charges__gt=0), name="counter_run_has_charges"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("counter_run"),
        ]

    def __str__(self) -> str:
        return f"{self.counter_id} {self.entry_id}"


class ReturnedDraw(models.Model):
    """Part of what a charge of a counter drew went back (from its end), because `by`, a charge of the same counter, gave it
    back. Its credit stands on the line of `by`."""

    id = models.BigAutoField(primary_key=True)
    bucket = models.SmallIntegerField()
    event = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    line = models.SmallIntegerField()
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    by_event = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    by_line = models.SmallIntegerField()

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["bucket", "event", "line", "by_event", "by_line"], name="returned_draw_once_per_charge_and_cause"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="returned_draw_amount_positive"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["by_event", "by_line"], name="returned_draw_by_cause"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("returned_draw"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.event_id}/{self.line}"


class EventVoid(models.Model):
    """An event that was taken back: who, when, why; once."""

    event = models.OneToOneField(UsageEvent, on_delete=models.PROTECT, related_name="void", db_constraint=False)
    bucket = models.SmallIntegerField()
    voided_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "metering"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("void"),
        ]

    def __str__(self) -> str:
        return f"void of {self.event_id}"


def _marks_its_day_stale(which: str, operation: Any) -> pgtrigger.Trigger:
    """Usage in a day that is added up already has it added up again (`wallets/ledger/rolled_days.py`)."""
    return pgtrigger.Trigger(
        name=f"{which}_usage_marks_its_day",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="new_hours"),  # type: ignore[no-untyped-call]
        func="""
            INSERT INTO wallets_staleday (what, day)
                SELECT DISTINCT 'usage', (hour AT TIME ZONE 'UTC')::date FROM new_hours
                WHERE hour < (SELECT announced FROM wallets_rolleddays WHERE what = 'usage');
            RETURN NULL;
        """,
    )


class HourlyUsage(models.Model):
    """The sum of charges of an hour (UTC), for reports and charts."""

    id = models.BigAutoField(primary_key=True)
    bucket = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    hour = models.DateTimeField()
    currency = models.CharField(max_length=16)
    dimensions = models.JSONField()
    events = models.BigIntegerField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    cost = models.DecimalField(max_digits=30, decimal_places=12)

    class Meta:
        app_label = "metering"
        verbose_name_plural = "hourly usage"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["bucket", "account", "meter", "hour", "currency", "dimensions"], name="hourly_usage_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Hours come about in the order of time, but for late events: next to no cost for one more.
            BrinIndex(fields=["hour"], pages_per_range=64, autosummarize=True, name="hourly_usage_by_hour"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            _marks_its_day_stale("new", pgtrigger.Insert),
            _marks_its_day_stale("changed", pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.meter_id} {self.hour}"
