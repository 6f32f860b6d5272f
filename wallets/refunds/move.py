"""The one function that changes the state of a refund, a dispute or a withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.refunds.states import DISPUTE_MOVES, REFUND_MOVES, WITHDRAWAL_MOVES

_MOVES: Final[Mapping[type, Mapping[str, tuple[str, ...]]]] = {
    Refund: REFUND_MOVES,
    Dispute: DISPUTE_MOVES,
    Withdrawal: WITHDRAWAL_MOVES,
}


def move(row: Refund | Dispute | Withdrawal, after: str, *, at: datetime, **changes: Any) -> None:
    """Take a row (as it was read under its wallet's lock) to state `after`, and set `changes` with it."""
    assert transaction.get_connection().in_atomic_block, row.public_id
    before = row.state
    assert after == before or after in _MOVES[type(row)][before], (row.public_id, before, after)
    changes |= {"state": after, "moved_at": row.moved_at if after == before else at}
    moved = type(row).objects.filter(bucket=row.bucket, pk=row.pk, state=before).update(**changes)
    assert moved == 1, (row.public_id, before, after)
    for name, value in changes.items():
        setattr(row, name, value)
