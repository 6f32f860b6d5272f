"""Ask for an approval, and decide it: by another person, once. What happens then is the asking room's to do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from wallets.accounts.models import User
from wallets.approvals.models import Approval
from wallets.errors import Conflict, NotFound
from wallets.input import Input

State = Approval.State


class OwnApproval(Conflict):
    """Nobody approves what they asked for."""

    code = "own_approval"


class AlreadyDecided(Conflict):
    """Somebody has decided it, or it was withdrawn."""

    code = "approval_already_decided"


class ApprovalWaits(Conflict):
    """An approval of the same thing is waiting already."""

    code = "approval_waits"


def request_approval(  # noqa: PLR0913 - a row
    *,
    kind: str,
    subject: str,
    amount: Decimal,
    currency: str,
    asked_by: User,
    reason: str,
    at: datetime,
    note: str = "",
    account_id: int | None = None,
) -> Approval:
    """Ask for a second person's approval of `subject` (the id of a thing of `kind`), worth `amount` in `currency`.

    In the caller's transaction, so that the thing and the question about it exist together. Raises ApprovalWaits,
    InvalidInput.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    reason = check.text("reason", reason, longest=120, required=True)
    note = check.text("note", note, longest=500)
    check.refuse("An approval cannot be asked for like this.")
    try:
        with transaction.atomic():
            return Approval.objects.create(
                kind=kind,
                subject=subject,
                account_id=account_id,
                currency=currency,
                amount=amount,
                asked_by=asked_by,
                reason=reason,
                note=note,
                asked_at=at,
            )
    except IntegrityError as error:
        if "approval_waits_once" not in str(error):
            raise
        raise ApprovalWaits(f"An approval of {subject} is waiting already.") from error


def approve(*, approval_id: str, by: User, at: datetime, answer: str = "") -> Approval:
    """Approve (`apr_…`). What was asked for is carried out by the room that asked, in the same transaction or after it.

    Raises OwnApproval, AlreadyDecided, NotFound, InvalidInput.
    """
    return _decide(approval_id, State.APPROVED, by=by, at=at, answer=answer)


def decline(*, approval_id: str, by: User, at: datetime, answer: str) -> Approval:
    """Decline, saying why. Raises OwnApproval, AlreadyDecided, NotFound, InvalidInput."""
    return _decide(approval_id, State.DECLINED, by=by, at=at, answer=answer)


def withdraw_approval(*, approval_id: str, at: datetime, answer: str = "") -> Approval:
    """There is nothing to decide any more: whoever asked does not want it, or what it was about has ended.

    Raises AlreadyDecided, NotFound, InvalidInput.
    """
    return _decide(approval_id, State.WITHDRAWN, by=None, at=at, answer=answer)


def approval_by_id(approval_id: str) -> Approval:
    """The approval `apr_…`, with who asked, who decided and the account. Raises NotFound."""
    found = Approval.objects.select_related("asked_by", "decided_by", "account").filter(public_id=approval_id).first()
    if found is None:
        raise NotFound(f"There is no approval {approval_id[:40]}.")
    return found


def _decide(approval_id: str, after: Approval.State, *, by: User | None, at: datetime, answer: str) -> Approval:
    """Claimed by a conditional UPDATE: of two who decide at once, one waits for the other and finds it decided."""
    check = Input()
    answer = check.text("answer", answer, longest=500, required=after is State.DECLINED)
    check.refuse()
    approval = approval_by_id(approval_id)
    if by is not None and approval.asked_by_id == by.pk:
        raise OwnApproval("You asked for this yourself; another person has to decide.")
    waiting = Approval.objects.filter(pk=approval.pk, state=State.WAITING)
    if not waiting.update(state=after, decided_by=by, decided_at=at, answer=answer):
        state = Approval.objects.values_list("state", flat=True).get(pk=approval.pk)
        raise AlreadyDecided(f"This was {state.lower()} already.")
    return approval_by_id(approval_id)
