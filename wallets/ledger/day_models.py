"""The journal added up by days (UTC), for reports: derived from entries and postings, and proved against them.

    JournalDay   the sum of a day's postings of one account, contra, kind of entry, kind of lot and month of sale
    RolledDays   how far something is added up (the journal, usage): what is before `rolled` is, what is before `announced` soon
                 will be
    StaleDay     something was written into a day that was announced (the journal: trigger entry_marks_its_day_stale)

Nothing is ever missed (`rolled_days.py` says how): whoever writes into a day before `announced` marks it, in the same
transaction; and a day is added up only once every transaction that may not have seen it announced is over.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from wallets.ledger.models import JournalEntry, LedgerAccount


class JournalDay(models.Model):
    """Postings of a day that have everything in common that a report tells apart."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(help_text="UTC")
    ledger_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    contra = models.ForeignKey(
        LedgerAccount, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=12, choices=JournalEntry.Kind, help_text="of the entries")
    lot_kind = models.CharField(max_length=12, blank=True, help_text="of the credit; empty off the wallet's side")
    cohort = models.DateField(null=True, help_text="first day of the month in which the credit was granted")
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="credit positive, debit negative")
    postings = models.BigIntegerField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["day", "ledger_account", "contra", "kind", "lot_kind", "cohort"],
                nulls_distinct=False,
                name="journal_day_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.ledger_account_id} {self.kind}"


class RolledDays(models.Model):
    """How far something is added up by days. No row: not at all."""

    what = models.CharField(primary_key=True, max_length=12, help_text="journal, usage")
    announced = models.DateTimeField(help_text="midnight UTC; days before are added up soon, or are")
    over_after = models.BigIntegerField(null=True, help_text="transactions below this number had not seen it announced")
    rolled = models.DateTimeField(null=True, help_text="midnight UTC; days before are added up")

    class Meta:
        app_label = "wallets"

    def __str__(self) -> str:
        return f"{self.what} before {self.rolled}"


class StaleDay(models.Model):
    """A day to be added up again."""

    id = models.BigAutoField(primary_key=True)
    what = models.CharField(max_length=12)
    day = models.DateField(help_text="UTC")

    class Meta:
        app_label = "wallets"

    def __str__(self) -> str:
        return f"{self.what} {self.day}"
