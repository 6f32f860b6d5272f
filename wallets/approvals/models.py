"""An approval is the second pair of eyes on something that moves money by hand. Whoever asks cannot be who decides (constraint
approval_is_not_ones_own); it is asked for once at a time about one thing (approval_waits_once), and what was asked and what
was decided stay as they were (triggers approval_terms_stay, approval_is_decided_once).

    WAITING -> APPROVED | DECLINED    decided by another person
    WAITING -> WITHDRAWN              by whoever asked, or by the room that asked, when there is nothing to decide any more

An approval limit says up to how much within 24 hours people of a role need nobody else. Without one for the currency, every
amount needs a second person. What somebody moved alone is noted in a row that stays (trigger moved_alone_is_append_only).
"""

from __future__ import annotations

from typing import ClassVar, Final

import pgtrigger
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import Account, User
from wallets.append_only import append_only
from wallets.ids import new_public_id

WAITING: Final = "WAITING"


def new_approval_id() -> str:
    """apr_…"""
    return new_public_id("apr")


class Approval(models.Model):
    """Something that waits for, or was decided by, a second person."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        APPROVED = "APPROVED"
        DECLINED = "DECLINED"
        WITHDRAWN = "WITHDRAWN"

    public_id = models.CharField(max_length=32, unique=True, default=new_approval_id)
    kind = models.CharField(max_length=40, help_text="what it is about: adjustment, withdrawal …")
    subject = models.CharField(max_length=120, help_text="the id of what it is about")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="approvals")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    reason = models.CharField(max_length=120)
    note = models.CharField(max_length=500, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="approvals_asked_for")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="approvals_decided")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True, help_text="what was said with the decision")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")), name="approval_is_not_ones_own"
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["APPROVED", "DECLINED"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="WITHDRAWN", decided_by__isnull=True, decided_at__isnull=False),
                name="approval_says_who_decided",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="approval_amount_positive"),
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(state="WAITING"), name="approval_waits_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["asked_at"], condition=Q(state="WAITING"), name="approval_waiting"),
            models.Index(fields=["kind", "subject"], name="approval_of_subject"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="approval_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="approval_is_decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__state=WAITING)
            ),
            pgtrigger.ReadOnly(
                name="approval_terms_stay",
                fields=[
                    "public_id", "kind", "subject", "account", "currency", "amount", "reason", "note", "asked_by", "asked_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id


class ApprovalLimit(models.Model):
    """Up to this amount, people of a role need nobody else."""

    role = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="approval_limits")
    kind = models.CharField(
        max_length=40, blank=True, help_text="adjustment, withdrawal …; empty: whatever has no limit of its own"
    )
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="above it, a second person approves")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["role", "kind", "currency"], name="approval_limit_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="approval_limit_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.kind} {self.currency}".replace("  ", " ")


class MovedAlone(models.Model):
    """Somebody moved money by hand, and nobody else had to approve it."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40, help_text="as approvals are: grant, refund, wire")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    subject = models.CharField(max_length=120, help_text="the id of what was moved")
    at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="moved_alone_amount_positive"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "kind", "currency", "at"], name="moved_alone_lately")
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("moved_alone")
