"""The one function that changes a top-up's state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from wallets.payments.models import TopUp
from wallets.payments.states import MOVES


def move_top_up(top_up: TopUp, after: str, *, at: datetime, **changes: Any) -> None:
    """Take a top-up (as it was read under its wallet's lock) to state `after`, and set `changes` with it."""
    assert transaction.get_connection().in_atomic_block, top_up.public_id
    before = top_up.state
    assert after == before or after in MOVES[before], (top_up.public_id, before, after)
    moved_at = top_up.moved_at if after == before else at
    moved = TopUp.objects.filter(bucket=top_up.bucket, pk=top_up.pk, state=before).update(
        state=after, moved_at=moved_at, **changes
    )
    assert moved == 1, (top_up.public_id, before, after)
    top_up.state, top_up.moved_at = after, moved_at
    for name, value in changes.items():
        setattr(top_up, name, value)
