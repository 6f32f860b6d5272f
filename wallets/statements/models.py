"""A statement is the prepaid invoice of one wallet and period: opening balance, what came in, line-itemised consumption, what
else changed, closing balance = the next one's opening. It covers the journal entries after `opening_version` up to and with
`closing_version`, so that two statements of a wallet neither leave an entry out nor share one, whatever clocks said.

Issued once and never changed (append-only triggers). What it says is copied, not joined: seller, buyer, prices in words. Its
lines add up to closing - opening (trigger statement_adds_up), it opens where the one before it closed
(statement_opens_where_the_last_closed), and numbers of a legal entity's year have no gap (statement_number_once and the
series row, moved in the transaction that uses the number).
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.ids import new_statement_id

_ADDS_UP = """
    SELECT s.id INTO wrong FROM wallets_statement s
        LEFT JOIN LATERAL (
            SELECT count(*) AS count, coalesce(sum(l.amount), 0) AS amount
            FROM wallets_statementline l WHERE l.statement_id = s.id
        ) l ON true
        WHERE {which} AND (l.count <> s.line_count OR l.amount <> s.closing_balance - s.opening_balance) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of statement % do not add up to what it says', wrong USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


class Statement(models.Model):
    """One wallet, one period."""

    public_id = models.CharField(max_length=40, unique=True, default=new_statement_id)
    bucket = models.SmallIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="statements", db_constraint=False)
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="following")
    entity = models.CharField(max_length=40)
    year = models.SmallIntegerField()
    number = models.IntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField(help_text="exclusive")
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=16)
    opening_version = models.BigIntegerField()
    closing_version = models.BigIntegerField()
    opening_balance = models.DecimalField(max_digits=30, decimal_places=12)
    closing_balance = models.DecimalField(max_digits=30, decimal_places=12)
    rounding = models.DecimalField(
        max_digits=30, decimal_places=12, help_text="what the rounded lines are short of the rounded balances"
    )
    line_count = models.IntegerField()
    seller = models.TextField()
    buyer = models.TextField()
    issued_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity", "year", "number"], name="statement_number_once"),
            models.UniqueConstraint(fields=["wallet", "period_start"], name="statement_once_per_wallet_and_period"),
            models.UniqueConstraint(
                fields=["wallet"], condition=Q(previous__isnull=True), name="statement_one_first_per_wallet"
            ),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="statement_period_has_a_length"),
            models.CheckConstraint(
                condition=Q(opening_version__gte=0, closing_version__gte=F("opening_version")), name="statement_versions_go_on"
            ),
            models.CheckConstraint(
                condition=Q(previous__isnull=False) | Q(opening_version=0, opening_balance=0),
                name="statement_first_opens_at_zero",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("statement"),
            pgtrigger.Trigger(
                name="statement_opens_where_the_last_closed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__previous__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM wallets_statement p WHERE p.id = NEW.previous_id AND p.wallet_id = NEW.wallet_id
                            AND p.currency = NEW.currency AND p.period_end <= NEW.period_start
                            AND p.closing_version = NEW.opening_version AND p.closing_balance = NEW.opening_balance
                    ) THEN
                        RAISE EXCEPTION 'statement % does not open where the one before it closed', NEW.public_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="statement_adds_up",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("wrong", "bigint")],
                func=_ADDS_UP.format(which="s.id = NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_number

    @property
    def public_number(self) -> str:
        """MAIN-ST-2026-000017."""
        return f"{self.entity.upper()}-ST-{self.year}-{self.number:06}"


class StatementLine(models.Model):
    """One line: exact, and as it is printed."""

    class Section(models.TextChoices):
        TOP_UP = "TOP_UP", "Top-ups"
        GRANT = "GRANT", "Credit from us"
        USAGE = "USAGE", "Usage"
        LATE_USAGE = "LATE_USAGE", "Usage of earlier periods"
        FEE = "FEE", "Fees"
        REFUND = "REFUND", "Refunds and disputes"
        ADJUSTMENT = "ADJUSTMENT", "Adjustments"
        TRANSFER = "TRANSFER", "Transfers between wallets"
        EXPIRY = "EXPIRY", "Expired credit"

    pk = models.CompositePrimaryKey("statement_id", "position")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.IntegerField()
    section = models.CharField(max_length=12, choices=Section)
    label = models.CharField(max_length=300)
    detail = models.CharField(max_length=500, blank=True, help_text="what breaks the usage down: the model, the endpoint")
    price = models.TextField(blank=True, help_text="what was charged, in words")
    meter = models.CharField(max_length=120, blank=True)
    price_id = models.BigIntegerField(null=True, help_text="row id of the price, for the events behind the line")
    events = models.BigIntegerField(null=True)
    quantity = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    unit = models.CharField(max_length=60, blank=True)
    allowance = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, help_text="part of the quantity that allowances covered"
    )
    happened_at = models.DateTimeField(null=True)
    reference = models.CharField(max_length=300, blank=True)
    entry_id = models.BigIntegerField(null=True, help_text="row id of the journal entry, of a line that is one entry")
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="what it did to the balance, exact")
    rounded = models.DecimalField(max_digits=30, decimal_places=12, help_text="as it is printed (I10)")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(
                    section__in=["TOP_UP", "GRANT", "USAGE", "LATE_USAGE", "FEE", "REFUND", "ADJUSTMENT", "TRANSFER", "EXPIRY"]
                ),
                name="statement_line_section_is_known",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("statement_line"),
            pgtrigger.Trigger(
                name="statement_takes_no_more_lines",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_lines"),  # type: ignore[no-untyped-call]
                declare=[("wrong", "bigint")],
                func=_ADDS_UP.format(which="s.id IN (SELECT statement_id FROM new_lines)"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.position} {self.label}"
