"""A simulation that takes a while: what was asked, how far it is, and what it came to. A copy of figures, not money: it may be
deleted. A run that nobody has heard of for STALE has lost its worker; it is run again from the start."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from pricing.books.models import PriceVersion
from wallets.accounts.models import Account
from wallets.ids import new_public_id

STALE: Final = timedelta(minutes=10)
new_simulation_id = partial(new_public_id, "sim")


class SimulationRun(models.Model):
    """One simulation."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"

    public_id = models.CharField(max_length=40, unique=True, default=new_simulation_id, editable=False)
    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField(help_text="exclusive")
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="+")
    only_payers = models.BooleanField(default=False)
    asked_by = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    done = models.BigIntegerField(default=0, help_text="charges rated one by one so far")
    total = models.BigIntegerField(default=0, help_text="of how many")
    heard_at = models.DateTimeField(help_text="when its worker last said how far it is")
    finished_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True)
    result = models.JSONField(null=True)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "RUNNING", "DONE", "FAILED"]), name="simulation_run_state_is_known"
            ),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="simulation_run_starts_before_it_ends"),
            models.CheckConstraint(
                condition=Q(state="DONE", result__isnull=False) | (~Q(state="DONE") & Q(result__isnull=True)),
                name="simulation_run_done_has_its_result",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100, self.done * 100 // self.total) if self.total else 0
