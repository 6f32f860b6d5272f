"""What a wallet's pace was told of: an edge is told once, and can be told again when it was clearly over.

`runs_out_told_at` is set while its forecast is told, `doubled_told_at` while its burn is (`pace.py` says when).
"""

from __future__ import annotations

from django.db import models

from wallets.balances.models import Wallet


class WatchedPace(models.Model):
    """What a wallet's account was told of its pace."""

    wallet = models.OneToOneField(Wallet, on_delete=models.PROTECT, related_name="watched_pace")
    runs_out_told_at = models.DateTimeField(null=True, blank=True)
    doubled_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "notifications"

    def __str__(self) -> str:
        return f"pace of {self.wallet_id}"
