"""An adjustment is money that moves because a person says so: with a reason from a list, a note, what proves it attached, and
above the limit of their role another person's approval (`wallets/approvals`).

    WAITING -> POSTED      carried out: it names its journal entry (constraint adjustment_posted_has_its_entry)
    WAITING -> DECLINED    by the approver, or taken back by whoever asked

One that has an approval is posted only once that is APPROVED (trigger adjustment_is_approved); what was asked for stays
(adjustment_terms_stay). Attachments are kept in the database beside the books, are never changed, and never deleted once they
belong to an adjustment.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import User
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.ids import new_public_id

MOVES = [("WAITING", "POSTED"), ("WAITING", "DECLINED")]


def new_adjustment_id() -> str:
    """adj_…"""
    return new_public_id("adj")


def new_attachment_id() -> str:
    """att_…"""
    return new_public_id("att")


class ReasonCode(models.Model):
    """Why money is moved by hand. The code qualifies the account of the chart it is booked on."""

    code = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True, help_text="offered on the form")

    class Meta:
        app_label = "wallets"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="reason_code_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="reason_code_stays", fields=["code"]),
        ]

    def __str__(self) -> str:
        return self.title


class Adjustment(models.Model):
    """One correction by hand."""

    class Kind(models.TextChoices):
        GOODWILL = "GOODWILL", "Goodwill credit"
        CREDIT = "CREDIT", "Correction, up"
        DEBIT = "DEBIT", "Correction, down"
        WRITE_OFF = "WRITE_OFF", "Write-off of what is owed"

    class State(models.TextChoices):
        WAITING = "WAITING"
        POSTED = "POSTED"
        DECLINED = "DECLINED"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_adjustment_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=9, choices=Kind)
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="of goodwill credit")
    reason = models.ForeignKey(ReasonCode, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approval = models.OneToOneField(Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="adjustment")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="posted or declined")
    entry_id = models.BigIntegerField(null=True, blank=True, unique=True, help_text="journal entry")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="adjustment_amount_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=["GOODWILL", "CREDIT", "DEBIT", "WRITE_OFF"]), name="adjustment_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(kind="GOODWILL"), name="adjustment_only_goodwill_expires"
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", entry_id__isnull=True, ended_at__isnull=True)
                | Q(state="POSTED", entry_id__isnull=False, ended_at__isnull=False)
                | Q(state="DECLINED", entry_id__isnull=True, ended_at__isnull=False),
                name="adjustment_posted_has_its_entry",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet", "-id"], name="adjustment_of_wallet"),
            models.Index(fields=["asked_by", "asked_at"], name="adjustment_of_person"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(name="adjustment_moves", field="state", transitions=MOVES),
            pgtrigger.Protect(name="adjustment_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="adjustment_terms_stay",
                fields=[
                    "bucket", "public_id", "wallet", "kind", "currency", "amount", "expires_at", "reason", "note", "asked_by",
                    "asked_at",
                ],
            ),
            pgtrigger.Trigger(
                name="adjustment_is_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__state="POSTED", new__approval__isnull=False),
                func="""
                    IF NOT EXISTS (SELECT FROM wallets_approval WHERE id = NEW.approval_id AND state = 'APPROVED') THEN
                        RAISE EXCEPTION 'adjustment % is not approved', NEW.public_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="adjustment_keeps_its_approval",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__approval__isnull=False)
                & pgtrigger.Q(old__approval__df=pgtrigger.F("new__approval")),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id


class Attachment(models.Model):
    """A file that proves why: kept as it came, downloaded, never shown."""

    public_id = models.CharField(max_length=32, unique=True, default=new_attachment_id)
    adjustment = models.ForeignKey(
        Adjustment, null=True, blank=True, on_delete=models.PROTECT, related_name="attachments",
        help_text="empty until what it was uploaded for is confirmed",
    )  # fmt: skip
    name = models.CharField(max_length=150)
    media_type = models.CharField(max_length=60)
    size_bytes = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["uploaded_at"], condition=Q(adjustment__isnull=True), name="attachment_loose"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(
                name="attachment_stays", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__adjustment__isnull=False)
            ),
            pgtrigger.ReadOnly(
                name="attachment_is_as_it_came",
                fields=["public_id", "name", "media_type", "size_bytes", "sha256", "content", "uploaded_by", "uploaded_at"],
            ),
            pgtrigger.Protect(
                name="attachment_belongs_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__adjustment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
