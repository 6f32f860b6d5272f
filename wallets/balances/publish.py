"""Publish what wallets can spend to Redis, for the gate. A copy: PostgreSQL is the truth (I1)."""

from __future__ import annotations

from collections.abc import Sequence

from wallets.balances.lock import LockedWallet


def publish_wallets(wallets: Sequence[LockedWallet]) -> None:
    """Publish the committed figures of these wallets; an older version never overwrites a newer one."""
