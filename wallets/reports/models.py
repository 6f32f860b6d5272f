"""What our ledger accounts are called in the general ledger of the vendor's own bookkeeping (`general_ledger.py`)."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models

from wallets.ledger.chart import Kind

ROUNDING: Final = "ROUNDING"
"""Not an account of ours: where cents go that rounding leaves."""
KINDS: Final = [*Kind.choices, (ROUNDING, "Rounding")]


class AccountCode(models.Model):
    """The code of a ledger account, or of all of a kind (no qualifier)."""

    kind = models.CharField(max_length=24, choices=KINDS)
    qualifier = models.CharField(
        max_length=120, blank=True, help_text="of the ledger account: a meter, a provider; empty: all others of its kind"
    )
    code = models.CharField(max_length=40, help_text="the account's number in your bookkeeping")
    name = models.CharField(max_length=120, blank=True)
    cost_centre = models.CharField(max_length=40, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "qualifier"], name="account_code_once"),
            models.CheckConstraint(condition=~models.Q(code=""), name="account_code_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.kind.lower()}{f':{self.qualifier}' if self.qualifier else ''} {self.code}"
