"""Every run of the nightly proof, kept as it came out. Append-only (triggers): that the books held on a day is itself
evidence."""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from wallets.append_only import append_only


class ProofRun(models.Model):
    """One run over all proofs. findings: of each that failed, its name, invariant, how many are wrong and the first of them."""

    at = models.DateTimeField(db_index=True)
    took_ms = models.IntegerField()
    proofs = models.IntegerField(help_text="how many were run")
    failed = models.IntegerField(help_text="how many of them did not hold")
    checked = models.BigIntegerField(help_text="rows looked at")
    findings = models.JSONField(default=list)
    frozen = ArrayField(models.CharField(max_length=40), default=list, help_text="wallets that were frozen for it")

    class Meta:
        app_label = "wallets"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("proof_run")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.outcome}"

    @property
    def holds(self) -> bool:
        """Nothing was found wrong."""
        return self.failed == 0

    @property
    def outcome(self) -> str:
        """In words."""
        return "all hold" if self.holds else f"{self.failed} of {self.proofs} do not hold"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was found, as stored."""
        return list(self.findings)
