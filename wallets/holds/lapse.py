"""Write down which holds have lapsed. They count as lapsed from their end on without it (`balances/held.py`); the sweep keeps
what is held close to what is open, so that few need to look."""

from __future__ import annotations

from datetime import datetime

from wallets.balances.held import lapse_due
from wallets.credit.sweep import sweep_wallets
from wallets.holds.models import Hold


def lapse_holds(*, at: datetime) -> int:
    """Lapse every open hold that has ended by `at`; returns how many. Safe to repeat. Raises LockBusy at the end when wallets
    stayed locked; the others are done."""
    due = Hold.objects.filter(state=Hold.State.OPEN, expires_at__lte=at)
    return sweep_wallets(due, lambda wallets, bucket: lapse_due(wallets, bucket=bucket, at=at))
