"""The double-entry journal. Amounts are signed: **credits positive, debits negative**, so that what a wallet holds (our
liability) is the plain sum of its postings. An entry belongs to one wallet, is one step of that wallet's version, and its
postings sum to zero per currency (statement trigger posting_entry_sums_to_zero: one check a statement, over its transition
table). Entries and postings are append-only (triggers); a correction is an entry that `reverses` another, once (constraint
entry_reversed_once). `hash` covers the entry, its postings and the hash before it in its wallet (I7).

A posting on the wallet's side names the lot it belongs to: lots are sub-accounts, so a lot's remainder is the sum of its
postings. `contra` is the account on the other side of the line, and a charge finds its lots by its place on that line:
the postings of one entry with one contra, laid end to end, starting at `line_from`.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from wallets.append_only import append_only
from wallets.balances.models import Wallet


class LedgerAccount(models.Model):
    """An account of the chart (`chart.py` says which kinds there are and which stand on a wallet's side)."""

    class Kind(models.TextChoices):
        PREPAID_LIABILITY = "PREPAID_LIABILITY"
        PROMOTIONAL_LIABILITY = "PROMOTIONAL_LIABILITY"
        OVERDRAFT_RECEIVABLE = "OVERDRAFT_RECEIVABLE"
        CASH_CLEARING = "CASH_CLEARING"
        REVENUE = "REVENUE"
        BREAKAGE = "BREAKAGE"
        PROMOTIONAL_COST = "PROMOTIONAL_COST"
        SALES_DISCOUNT = "SALES_DISCOUNT"
        REFUNDS = "REFUNDS"
        DISPUTES_RECEIVABLE = "DISPUTES_RECEIVABLE"
        DISPUTED_CREDIT = "DISPUTED_CREDIT"
        ADJUSTMENTS = "ADJUSTMENTS"
        BAD_DEBT = "BAD_DEBT"
        TRANSFERS_IN_TRANSIT = "TRANSFERS_IN_TRANSIT"
        FEES = "FEES"
        TAX_PAYABLE = "TAX_PAYABLE"
        ALLOWANCE = "ALLOWANCE"
        ALLOWANCE_ISSUED = "ALLOWANCE_ISSUED"
        ALLOWANCE_USED = "ALLOWANCE_USED"

    kind = models.CharField(max_length=24, choices=Kind)
    qualifier = models.CharField(max_length=120, blank=True, help_text="meter code for revenue, provider for cash clearing")
    currency = models.CharField(max_length=16)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "qualifier", "currency"], name="ledger_account_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="ledger_account_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.currency}"

    @property
    def code(self) -> str:
        """Readable name: `revenue:llm.output_tokens`."""
        return f"{self.kind.lower()}:{self.qualifier}" if self.qualifier else self.kind.lower()


class JournalEntry(models.Model):
    """One balanced change of one wallet."""

    class Kind(models.TextChoices):
        GRANT = "GRANT"
        USAGE = "USAGE"
        FEE = "FEE"
        REVERSAL = "REVERSAL"
        GIVE_BACK = "GIVE_BACK"
        EXPIRY = "EXPIRY"
        LOT_VOID = "LOT_VOID"
        TRANSFER_OUT = "TRANSFER_OUT"
        TRANSFER_IN = "TRANSFER_IN"
        ADJUSTMENT = "ADJUSTMENT"
        REFUND = "REFUND"
        DISPUTE = "DISPUTE"

    id = models.BigIntegerField(primary_key=True)
    bucket = models.SmallIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False)
    wallet_version = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    currency = models.CharField(max_length=16)
    at = models.DateTimeField()
    balance_after = models.DecimalField(max_digits=30, decimal_places=12)
    overdraft_after = models.DecimalField(max_digits=30, decimal_places=12)
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reversed_by", db_index=False)
    reference = models.CharField(max_length=300, blank=True, help_text="what it is about: a lot, an event, a transfer")
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=200, blank=True, help_text="who: a person's e-mail, an API key's prefix")
    hash = models.BinaryField(max_length=32)

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "journal entries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["wallet", "wallet_version"], name="entry_once_per_wallet_version"),
            models.UniqueConstraint(fields=["reverses"], condition=Q(reverses__isnull=False), name="entry_reversed_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Entries come about in the order of their times: next to no cost for one more.
            BrinIndex(fields=["at"], pages_per_range=64, autosummarize=True, name="entry_by_time"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("entry"),
            pgtrigger.Trigger(
                name="entry_marks_its_day_stale",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_entries"),  # type: ignore[no-untyped-call]
                func="""
                    INSERT INTO wallets_staleday (what, day)
                        SELECT DISTINCT 'journal', (at AT TIME ZONE 'UTC')::date FROM new_entries
                        WHERE at < (SELECT announced FROM wallets_rolleddays WHERE what = 'journal');
                    RETURN NULL;
                """,
            ),
            # Periods stand above the ledger (`wallets/periods`); what is written late is dated when it is written.
            pgtrigger.Trigger(
                name="entry_not_in_a_closed_period",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_entries"),  # type: ignore[no-untyped-call]
                declare=[("until", "timestamptz")],
                func="""
                    SELECT max(ends_at) INTO until FROM wallets_periodclosing WHERE state = 'CLOSED';
                    IF until IS NOT NULL AND EXISTS (SELECT FROM new_entries WHERE at < until) THEN
                        RAISE EXCEPTION 'no journal entry is dated before %: its period is closed', until
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class Posting(models.Model):
    """One line of an entry."""

    pk = models.CompositePrimaryKey("entry_id", "line")
    bucket = models.SmallIntegerField()
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    line = models.SmallIntegerField()
    ledger_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    contra = models.ForeignKey(
        LedgerAccount, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    lot_id = models.BigIntegerField(null=True, help_text="the credit lot; empty on the overdraft and off the wallet's side")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="credit positive, debit negative")
    line_from = models.DecimalField(max_digits=30, decimal_places=12, null=True)

    class Meta:
        app_label = "wallets"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["lot_id", "entry"], condition=Q(lot_id__isnull=False), name="posting_of_lot"),
            models.Index(
                fields=["lot_id"], condition=Q(lot_id__isnull=False, contra__isnull=True), name="posting_of_lot_but_usage"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("posting"),
            pgtrigger.Trigger(
                name="posting_entry_sums_to_zero",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_postings"),  # type: ignore[no-untyped-call]
                declare=[("unbalanced", "bigint")],
                func="""
                    SELECT entry_id INTO unbalanced FROM new_postings
                        GROUP BY entry_id, currency HAVING sum(amount) <> 0 LIMIT 1;
                    IF FOUND THEN
                        RAISE EXCEPTION 'postings of journal entry % do not sum to zero', unbalanced
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.line} {self.amount}"
