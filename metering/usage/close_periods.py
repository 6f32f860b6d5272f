"""Close periods: hand what was consumed down to whoever issues statements, some wallets at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from metering.usage.consumed import consumed_in
from wallets.statements.issue import LinesDoNotAddUp, issue_statements
from wallets.statements.spans import Due, claim_spans, due_wallets

SOME: Final = 200  # wallets a transaction


@dataclass(slots=True)
class Closed:
    """What closing came to. due: statements that were to be issued; faults: why some were not, one line each."""

    due: int = 0
    issued: int = 0
    faults: list[str] = field(default_factory=list)


def close_periods(
    *, at: datetime, wallet_ids: Collection[int] | None = None, tell: Callable[[Closed], None] = lambda _: None
) -> Closed:
    """Issue every statement that is due at `at`: of each wallet, the months that have ended since its last one, oldest first.
    May run beside itself and be broken off; the next run goes on. A wallet whose lines do not add up is left out and named.

    tell: called after each transaction with what has been done so far.
    """
    closed = Closed()
    pending: Collection[int] | None = wallet_ids
    while True:
        went_on: list[int] = []
        due = list(due_wallets(at=at, wallet_ids=pending))
        closed.due += len(due)
        for first in range(0, len(due), SOME):
            went_on += _close(due[first : first + SOME], closed, at)
            tell(closed)
        if not went_on:
            return closed
        pending = went_on


def _close(due: Sequence[Due], closed: Closed, at: datetime) -> list[int]:
    """Issue one statement of each of these wallets; who got one. When some do not add up, each by itself."""
    try:
        with transaction.atomic():
            spans = claim_spans(due)
            issued = issue_statements(spans=spans, consumed=consumed_in(spans), at=at) if spans else []
    except LinesDoNotAddUp as error:
        if len(due) == 1:
            closed.faults.append(str(error))
            return []
        return [wallet_id for one in due for wallet_id in _close([one], closed, at)]
    closed.issued += len(issued)
    return [statement.wallet_id for statement in issued]
