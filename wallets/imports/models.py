"""Credit that came in by a file: opening balances from the system before, and grants to many at once. A file is taken in once
(constraint credit_import_once: the hash of its text), as a whole or not at all; runs are append-only (triggers)."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models

from wallets.append_only import append_only


class CreditImport(models.Model):
    """One file. totals: amount by currency, as the rows add up and as whoever took it in said they would."""

    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    source = models.CharField(max_length=60, help_text="where the money stands in the journal: cash clearing of this name")
    rows = models.IntegerField()
    totals = models.JSONField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["digest"], name="credit_import_once"),
            models.CheckConstraint(condition=models.Q(rows__gt=0), name="credit_import_has_rows"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("credit_import")]

    def __str__(self) -> str:
        return self.name
