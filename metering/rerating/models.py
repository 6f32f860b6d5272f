"""A correction of a wrong price for a past window: usage charged at one version is charged at another.

The event keeps its first charge, a second that takes it back, and a third at the right price. Both movements stand in the
journal under the run's id, on the day of the correction: a statement that was closed stays as it is, the next one shows it.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from metering.usage.models import UsageEvent
from pricing.books.models import PriceVersion
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.ids import new_public_id

new_run_id = partial(new_public_id, "rer")


class RerateRun(models.Model):
    """What was to be corrected, by whom, why, and how far it has come."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"

    public_id = models.CharField(max_length=40, unique=True, default=new_run_id, editable=False)
    wrong_version = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="+")
    right_version = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    start = models.DateTimeField(help_text="of the events' own time, inclusive")
    end = models.DateTimeField(help_text="exclusive")
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(status__in=["RUNNING", "DONE"]), name="rerate_run_status_known"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="rerate_run_starts_before_it_ends"),
            models.CheckConstraint(
                condition=Q(status="RUNNING", finished_at__isnull=True) | Q(status="DONE", finished_at__isnull=False),
                name="rerate_run_done_has_its_time",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="rerate_run_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id


class RerateItem(models.Model):
    """One event of a run, once. before: what its charges that were taken back came to; after: its new ones. `refused` says
    why nothing was changed."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(RerateRun, on_delete=models.PROTECT, related_name="items")
    event = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    bucket = models.SmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=16)
    before = models.DecimalField(max_digits=30, decimal_places=12)
    after = models.DecimalField(max_digits=30, decimal_places=12)
    refused = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "event"], name="rerate_item_once_per_run_and_event"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("rerate_item"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.before} -> {self.after}"
