"""Which currencies wallets are in."""

from __future__ import annotations

from django.db.models import Count

from wallets.balances.models import Wallet


def currencies_in_use() -> list[str]:
    """Of all wallets, that of most of them first."""
    counted = Wallet.objects.values("currency").annotate(wallets=Count("pk")).order_by("-wallets", "currency")
    return [row["currency"] for row in counted]
