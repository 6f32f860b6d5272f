"""What a wallet held at any moment, from its journal: every entry carries the figures after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.balances.models import Wallet
from wallets.errors import NotFound
from wallets.ledger.models import JournalEntry
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class BalanceAsOf:
    """A wallet's figures after the last entry up to a moment; zero, version 0 and no entry before its first."""

    at: datetime
    currency: str
    balance: Decimal
    overdraft: Decimal
    wallet_version: int
    entry_id: int | None


def balance_as_of(*, wallet_id: int, at: datetime) -> BalanceAsOf:
    """The wallet's figures as they stood at `at`, entries of that instant included. Raises NotFound.

    Where clocks of several machines disagree, the order of the entries counts: it is the last entry that says `at` or
    earlier.
    """
    wallet = Wallet.objects.filter(pk=wallet_id).only("bucket", "currency").first()
    if wallet is None:
        raise NotFound(f"No wallet with id {wallet_id}.")
    entry = (
        JournalEntry.objects.filter(bucket=wallet.bucket, wallet_id=wallet_id, at__lte=at)
        .order_by("-wallet_version")
        .only("balance_after", "overdraft_after", "wallet_version")
        .first()
    )
    if entry is None:
        return BalanceAsOf(at, wallet.currency, ZERO, ZERO, 0, None)
    return BalanceAsOf(at, wallet.currency, entry.balance_after, entry.overdraft_after, entry.wallet_version, entry.pk)
