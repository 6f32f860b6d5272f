"""A dead letter: an event that arrived well-formed and is kept, but could not be rated. It waits here with its reason,
is replayed by one action after the fix, and is then marked, never deleted.

A tally counts what arrived and what became of it. A replay checkpoint says how far the replay of a file has come and by how
much it moves the events' times, so that a run that was broken off goes on where it was, with the same times."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from metering.usage.models import UsageEvent
from wallets.accounts.models import Account


class DeadLetter(models.Model):
    """Why an event is not charged yet."""

    class Reason(models.TextChoices):
        NO_PRICE = "no_price", "No price fits"
        NO_WALLET = "no_wallet", "No wallet in the currency of the price"
        NO_QUANTITY = "no_quantity", "No meter of its type found anything to measure"

    event = models.OneToOneField(UsageEvent, on_delete=models.PROTECT, related_name="dead_letter", db_constraint=False)
    bucket = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    reason = models.CharField(max_length=16, choices=Reason)
    detail = models.CharField(max_length=500)
    parked_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "metering"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["parked_at"], condition=Q(replayed_at__isnull=True), name="dead_letter_waiting"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="dead_letter_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.reason}"


class IngestTally(models.Model):
    """How many events arrived on a day (UTC), and what became of them on arrival; a row for each of some connections."""

    pk = models.CompositePrimaryKey("bucket", "day", "slot")
    bucket = models.SmallIntegerField()
    day = models.DateField()
    slot = models.SmallIntegerField()
    received = models.BigIntegerField()
    rated = models.BigIntegerField()
    parked = models.BigIntegerField()
    duplicates = models.BigIntegerField()
    rejected = models.BigIntegerField()

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(received=F("rated") + F("parked") + F("duplicates") + F("rejected")), name="tally_loses_nothing"
            ),
            models.CheckConstraint(
                condition=Q(rated__gte=0, parked__gte=0, duplicates__gte=0, rejected__gte=0), name="tally_counts_up"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="tally_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.received}"


class ReplayCheckpoint(models.Model):
    """How far the replay of a file, by one map, has come: bytes (uncompressed), lines and records that are done with."""

    key = models.CharField(max_length=64, unique=True, help_text="hash of the file's name, size and beginning, and of the map")
    file_name = models.CharField(max_length=255)
    shift = models.DurationField(help_text="added to the time of every event")
    offset = models.BigIntegerField(default=0)
    line = models.BigIntegerField(default=0)
    row = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "metering"

    def __str__(self) -> str:
        return f"{self.file_name} at row {self.row}"
