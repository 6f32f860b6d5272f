"""A credit note corrects lines of an issued statement: the statement stays as it is, and what was charged goes back to the lots
it came from. It names the statement, the lines and, behind them, each charge, so that none is credited twice (constraint
charge_credited_once). It has a number of a series of its own, without a gap, once it is issued.

    WAITING -> ISSUED      the credit is back in the wallet and the note has its number
    WAITING -> DECLINED    by the approver, or taken back by whoever asked

One that has an approval is issued only once that is APPROVED (trigger credit_note_is_approved). What was asked for stays
(credit_note_terms_stay), and once it has ended nothing of it changes (credit_note_has_ended).
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from wallets.accounts.models import User
from wallets.append_only import append_only
from wallets.approvals.models import Approval
from wallets.ids import new_public_id
from wallets.statements.models import Statement


def new_credit_note_id() -> str:
    """crn_…"""
    return new_public_id("crn")


class CreditNote(models.Model):
    """Lines of a statement, corrected. Amounts are what goes back to the customer: above zero."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        ISSUED = "ISSUED"
        DECLINED = "DECLINED"

    public_id = models.CharField(max_length=32, unique=True, default=new_credit_note_id)
    bucket = models.SmallIntegerField()
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="credit_notes")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    rounded = models.DecimalField(max_digits=30, decimal_places=12, help_text="as it is printed (I10)")
    line_count = models.IntegerField()
    reason = models.CharField(max_length=120)
    note = models.CharField(max_length=500)
    seller = models.TextField()
    buyer = models.TextField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approval = models.OneToOneField(Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="credit_note")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="issued or declined")
    entity = models.CharField(max_length=40)
    year = models.SmallIntegerField(null=True, blank=True)
    number = models.IntegerField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity", "year", "number"], name="credit_note_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="credit_note_amount_positive"),
            models.CheckConstraint(
                condition=Q(state="WAITING", number__isnull=True, year__isnull=True, ended_at__isnull=True)
                | Q(state="ISSUED", number__isnull=False, year__isnull=False, ended_at__isnull=False)
                | Q(state="DECLINED", number__isnull=True, year__isnull=True, ended_at__isnull=False),
                name="credit_note_issued_has_its_number",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="credit_note_moves", field="state", transitions=[("WAITING", "ISSUED"), ("WAITING", "DECLINED")]
            ),
            pgtrigger.Protect(name="credit_note_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="credit_note_has_ended", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__state="WAITING")
            ),
            pgtrigger.ReadOnly(
                name="credit_note_terms_stay",
                fields=[
                    "public_id", "bucket", "statement", "currency", "amount", "rounded", "line_count", "reason", "note",
                    "seller", "buyer", "asked_by", "asked_at", "entity",
                ],
            ),
            pgtrigger.Trigger(
                name="credit_note_is_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__state="ISSUED", new__approval__isnull=False),
                func="""
                    IF NOT EXISTS (SELECT FROM wallets_approval WHERE id = NEW.approval_id AND state = 'APPROVED') THEN
                        RAISE EXCEPTION 'credit note % is not approved', NEW.public_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="credit_note_keeps_its_approval",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__approval__isnull=False)
                & pgtrigger.Q(old__approval__df=pgtrigger.F("new__approval")),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_number or self.public_id

    @property
    def public_number(self) -> str:
        """MAIN-CN-2026-000003; empty while it is not issued."""
        return "" if self.number is None else f"{self.entity.upper()}-CN-{self.year}-{self.number:06}"


class CreditNoteLine(models.Model):
    """What of a line of the statement is taken back, as that line put it."""

    pk = models.CompositePrimaryKey("note_id", "position")
    note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.IntegerField(help_text="of the statement's line")
    label = models.CharField(max_length=300)
    detail = models.CharField(max_length=500, blank=True)
    price = models.TextField(blank=True)
    unit = models.CharField(max_length=60, blank=True)
    events = models.BigIntegerField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    rounded = models.DecimalField(max_digits=30, decimal_places=12, help_text="as it is printed (I10)")
    charges = ArrayField(ArrayField(models.BigIntegerField(), size=2), help_text="row id of the event, line of its charge")

    class Meta:
        app_label = "wallets"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("credit_note_line"),
            pgtrigger.Trigger(
                name="credit_note_lines_add_up",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_lines"),  # type: ignore[no-untyped-call]
                declare=[("wrong", "bigint")],
                func="""
                    SELECT n.id INTO wrong FROM wallets_creditnote n
                        LEFT JOIN LATERAL (
                            SELECT count(*) AS count, coalesce(sum(l.amount), 0) AS amount
                            FROM wallets_creditnoteline l WHERE l.note_id = n.id
                        ) l ON true
                        WHERE n.id IN (SELECT note_id FROM new_lines)
                            AND (n.state <> 'WAITING' OR l.count <> n.line_count OR l.amount <> n.amount) LIMIT 1;
                    IF FOUND THEN
                        RAISE EXCEPTION 'the lines of credit note % do not add up to what it says', wrong
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note_id}/{self.position} {self.label}"


class CreditedCharge(models.Model):
    """A charge that an issued credit note took back; once."""

    note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="credited")
    position = models.IntegerField(help_text="of the statement's line")
    event_id = models.BigIntegerField(help_text="row id of the event")
    line = models.SmallIntegerField(help_text="which charge of it")
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="what went back")
    entry_id = models.BigIntegerField(null=True, help_text="row id of the journal entry; empty when nothing went back")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "line"], name="charge_credited_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("credited_charge")

    def __str__(self) -> str:
        return f"{self.note_id}: {self.event_id}/{self.line}"
