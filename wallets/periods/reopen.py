"""Reopen a closed period: one person asks, another approves. Closing, approval and audit log keep the trace."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.accounts.models import User
from wallets.approvals.decide import request_approval
from wallets.approvals.models import Approval
from wallets.errors import Conflict
from wallets.periods.models import PeriodClosing

KIND: Final = "reopen_period"
"""Kind of the approval; the trigger period_reopens_when_approved names it too."""
MONTH: Final = "MONTH"
State = PeriodClosing.State


class LaterPeriodClosed(Conflict):
    """A later one is closed and stands on this one; the last one is reopened first."""

    code = "later_period_closed"


class PeriodOpen(Conflict):
    """It is not closed."""

    code = "period_open"


def ask_to_reopen(*, closing: PeriodClosing, by: User, reason: str, at: datetime) -> Approval:
    """Ask that a closed period be opened again; always another person decides.

    Raises PeriodOpen, LaterPeriodClosed, ApprovalWaits, InvalidInput.
    """
    _check(closing)
    with transaction.atomic():
        return request_approval(
            kind=KIND,
            subject=closing.public_id,
            amount=Decimal(1),
            currency=MONTH,
            asked_by=by,
            reason=f"Reopen {closing}",
            note=reason,
            at=at,
        )


def reopen_approved(*, approval: Approval, at: datetime) -> PeriodClosing:
    """Open the period of an approval that is APPROVED now; in the decision's transaction.

    Raises PeriodOpen, LaterPeriodClosed: then nothing is decided either.
    """
    closing = closing_by_id(approval.subject)
    _check(closing)
    closed = PeriodClosing.objects.filter(pk=closing.pk, state=State.CLOSED)
    if not closed.update(state=State.REOPENED, reopening=approval, reopened_at=at):
        raise PeriodOpen(f"{closing} is open already.")
    return closing_by_id(approval.subject)


def closing_by_id(public_id: str) -> PeriodClosing:
    """The closing `pcl_…`, which an approval names."""
    return PeriodClosing.objects.select_related("closed_by", "reopening").get(public_id=public_id)


def _check(closing: PeriodClosing) -> None:
    if closing.state != State.CLOSED:
        raise PeriodOpen(f"{closing} is open already.")
    later = PeriodClosing.objects.filter(entity=closing.entity, state=State.CLOSED, starts_at__gt=closing.starts_at)
    if later.exists():
        raise LaterPeriodClosed(f"A period after {closing} is closed; the last one is reopened first.")
