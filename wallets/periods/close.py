"""Close a period: what must be done is done, what stays open is said, and from then on the database refuses entries in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg import errors as pg

from wallets.accounts.models import User
from wallets.balances.lock import LockBusy
from wallets.errors import Conflict
from wallets.input import Input
from wallets.periods.models import PeriodClosing
from wallets.periods.period import Period, closed_until, closing_of, has_entries_before, period_of

WAIT_MS: Final = 3_000
"""Entries that are being written are waited for so long; others wait behind the closing meanwhile."""


class PeriodNotOver(Conflict):
    """It can be closed once it has ended everywhere."""

    code = "period_not_over"


class PeriodClosedAlready(Conflict):
    """It is closed."""

    code = "period_closed_already"


class EarlierPeriodOpen(Conflict):
    """The one before it is open and has entries; periods are closed in order."""

    code = "earlier_period_open"


class ChecklistOpen(Conflict):
    """Something on the checklist is not done."""

    code = "checklist_open"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of the checklist. open: how many are not done; must: nothing may stay open when the period is closed."""

    code: str
    title: str
    open: int
    said: str
    must: bool = False

    @property
    def done(self) -> bool:
        """Nothing is left."""
        return self.open == 0


def close_period(
    *, period: Period, findings: Sequence[Finding], by: User, reason: str, at: datetime, leave_open: bool = False
) -> PeriodClosing:
    """Close a period. findings: the checklist, kept with the closing; leave_open: what may stay open stays so.

    Waits for entries that are being written, at most WAIT_MS. Raises PeriodNotOver, PeriodClosedAlready, EarlierPeriodOpen,
    ChecklistOpen, InvalidInput, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500, required=True)
    check.refuse("The period cannot be closed like this.")
    if at < period.closes_at:
        raise PeriodNotOver(f"{period.name} can be closed from {period.closes_at:%-d %B %Y, %H:%M} UTC on.")
    _refuse_open(period, findings, leave_open=leave_open)
    with transaction.atomic():
        _wait_for_writers()
        if closing_of(period) is not None:
            raise PeriodClosedAlready(f"{period.name} is closed.")
        before = period_of(period.starts_at - timedelta(days=1))
        until = closed_until()
        if (until is None or until < period.starts_at) and has_entries_before(period):
            raise EarlierPeriodOpen(f"Close {before.name} first: periods are closed in order.")
        return PeriodClosing.objects.create(
            entity=period.entity,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            closed_by=by,
            closed_at=at,
            reason=reason,
            checklist=[asdict(finding) for finding in findings],
        )


def _refuse_open(period: Period, findings: Sequence[Finding], *, leave_open: bool) -> None:
    undone = [finding for finding in findings if not finding.done]
    needed = [finding for finding in undone if finding.must]
    if needed:
        told = "; ".join(f"{finding.title.lower()}: {finding.said}" for finding in needed)
        raise ChecklistOpen(f"{period.name} cannot be closed yet. {told}.")
    if undone and not leave_open:
        told = "; ".join(f"{finding.title.lower()}: {finding.said}" for finding in undone)
        raise ChecklistOpen(
            f"Something is open in {period.name}: {told}. Do it, or say that it stays open.",
            fields={"leave_open": "ticked, to close all the same"},
        )


def _wait_for_writers() -> None:
    """Entries dated in the period may be on their way in transactions that began before it was closed: let them end, and keep
    others from beginning, for the moment that closing takes. Raises LockBusy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_MS}ms"])
        try:
            cursor.execute("LOCK TABLE wallets_journalentry IN SHARE ROW EXCLUSIVE MODE")
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise LockBusy("Entries are being written; close the period again in a moment.") from error
            raise
