"""A period is a calendar month (UTC) of the books of one legal entity. It is open until somebody closes it; each closing is a
row that says who closed it, why, and what the checklist found, and stays (triggers period_closing_is_never_deleted,
period_closing_stays).

    CLOSED -> REOPENED    with an approval that another person gave for this closing (trigger period_reopens_when_approved)

A period is closed at most once at a time (period_closed_once). No journal entry is dated before the end of the last closed
period (trigger entry_not_in_a_closed_period, on the journal): what arrives late is booked when it arrives.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import User
from wallets.append_only import append_only
from wallets.approvals.models import Approval
from wallets.ids import new_public_id


def new_closing_id() -> str:
    """pcl_…"""
    return new_public_id("pcl")


class PeriodClosing(models.Model):
    """Somebody closed a month."""

    class State(models.TextChoices):
        CLOSED = "CLOSED"
        REOPENED = "REOPENED"

    public_id = models.CharField(max_length=32, unique=True, default=new_closing_id)
    entity = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="exclusive")
    state = models.CharField(max_length=8, choices=State, default=State.CLOSED)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    checklist = models.JSONField(help_text="what was found when it was closed")
    reopening = models.OneToOneField(Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reopened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity", "starts_at"], condition=Q(state="CLOSED"), name="period_closed_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="closed_period_has_a_length"),
            models.CheckConstraint(condition=Q(closed_at__gte=F("ends_at")), name="period_closed_after_its_end"),
            models.CheckConstraint(
                condition=Q(state="CLOSED", reopening__isnull=True, reopened_at__isnull=True)
                | Q(state="REOPENED", reopening__isnull=False, reopened_at__isnull=False),
                name="period_reopened_says_by_whom",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["ends_at"], condition=Q(state="CLOSED"), name="period_closed_until"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(name="period_closing_moves", field="state", transitions=[("CLOSED", "REOPENED")]),
            pgtrigger.Protect(name="period_closing_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="period_closing_stays",
                fields=["public_id", "entity", "starts_at", "ends_at", "closed_by", "closed_at", "reason", "checklist"],
            ),
            pgtrigger.Trigger(
                name="period_reopens_when_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__state="REOPENED"),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM wallets_approval WHERE id = NEW.reopening_id AND state = 'APPROVED'
                            AND kind = 'reopen_period' AND subject = NEW.public_id
                    ) THEN
                        RAISE EXCEPTION 'reopening % is not approved', NEW.public_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%B %Y}"


class PeriodProof(models.Model):
    """The entries of a month were proved; what came of it."""

    entity = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    proved_at = models.DateTimeField()
    proved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    checked = models.BigIntegerField(help_text="entries and statements looked at")
    faults = models.BigIntegerField()
    offenders = models.JSONField(help_text="the first of them, each in a sentence")

    class Meta:
        app_label = "wallets"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["entity", "starts_at", "-id"], name="period_proof_latest"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("period_proof")

    def __str__(self) -> str:
        return f"{self.starts_at:%B %Y}: {self.faults} of {self.checked} wrong"
