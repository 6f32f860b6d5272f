"""An incoming payment on our bank account. It becomes credit when it is matched with a wire top-up of the same reference,
amount and currency; what is not is a worklist.

    UNMATCHED -> WAITING    matched, above the limit of who entered it: another person approves
              -> MATCHED    its top-up is paid (constraint bank_line_matched_has_its_top_up), one line a top-up
              -> IGNORED    no top-up of ours, a person said why
    WAITING   -> MATCHED | UNMATCHED (declined)
    IGNORED   -> UNMATCHED

A line is taken in once by the bank's own id (constraint bank_line_once).
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import User
from wallets.ids import new_public_id
from wallets.payments.models import TopUp

MOVES = [
    ("UNMATCHED", "WAITING"),
    ("UNMATCHED", "MATCHED"),
    ("UNMATCHED", "IGNORED"),
    ("WAITING", "MATCHED"),
    ("WAITING", "UNMATCHED"),
    ("IGNORED", "UNMATCHED"),
]


def new_bank_line_id() -> str:
    """bnk_…"""
    return new_public_id("bnk")


class BankLine(models.Model):
    """One incoming payment, as the bank has it."""

    class State(models.TextChoices):
        UNMATCHED = "UNMATCHED"
        WAITING = "WAITING"
        MATCHED = "MATCHED"
        IGNORED = "IGNORED"

    public_id = models.CharField(max_length=32, unique=True, default=new_bank_line_id)
    bank_id = models.CharField(max_length=120, unique=True, help_text="the bank's own id of the payment")
    booked_date = models.DateField()
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    currency = models.CharField(max_length=16)
    payer = models.CharField(max_length=200, blank=True)
    text = models.CharField(max_length=500, blank=True, help_text="what the payer wrote")
    state = models.CharField(max_length=9, choices=State, default=State.UNMATCHED)
    why = models.CharField(max_length=200, blank=True, help_text="why it is not matched")
    top_up = models.OneToOneField(TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="bank_line")
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    matched_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    moved_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="bank_line_is_incoming"),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "MATCHED"], top_up__isnull=False, matched_by__isnull=False)
                | Q(state__in=["UNMATCHED", "IGNORED"], top_up__isnull=True),
                name="bank_line_matched_has_its_top_up",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["booked_date"], condition=Q(state="UNMATCHED"), name="bank_line_unmatched"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(name="bank_line_moves", field="state", transitions=MOVES),
            pgtrigger.Protect(name="bank_line_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="bank_line_stays",
                fields=[
                    "public_id",
                    "bank_id",
                    "booked_date",
                    "amount",
                    "currency",
                    "payer",
                    "text",
                    "entered_by",
                    "entered_at",
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
