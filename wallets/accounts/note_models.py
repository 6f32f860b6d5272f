"""What staff write down about a customer, for each other. Added, never changed (trigger account_note_is_append_only)."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models

from wallets.accounts.models import Account, User
from wallets.append_only import append_only


class AccountNote(models.Model):
    """A note of somebody of the staff."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="notes", db_index=False)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        verbose_name = "note"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["account", "-at", "-id"], name="note_of_account")]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("account_note")

    def __str__(self) -> str:
        return self.text[:80]
