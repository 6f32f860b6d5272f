"""Decide an approval and do what was decided, together or not at all."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.models import User
from wallets.approvals.decide import approval_by_id, approve, decline
from wallets.approvals.kinds import kind_of
from wallets.approvals.models import Approval
from wallets.errors import Refusal

MAY_DECIDE = "wallets.change_approval"


class MayNotDecide(Refusal):
    """The person does not have the role of an approver."""

    code = "may_not_decide"


def approve_and_do(*, approval_id: str, by: User, at: datetime, answer: str = "") -> str:
    """Approve (`apr_…`) and have it carried out; what was done, in a sentence for the approver.

    Raises MayNotDecide, OwnApproval, AlreadyDecided, NotFound, InvalidInput, ApprovalKindUnknown, and what carrying it out
    raises: then nothing is decided either.
    """
    _may_decide(by)
    with transaction.atomic():
        kind = kind_of(approval_by_id(approval_id))
        return kind.approved(approve(approval_id=approval_id, by=by, at=at, answer=answer), at)


def decline_and_drop(*, approval_id: str, by: User, at: datetime, answer: str) -> Approval:
    """Decline, saying why; nothing is moved. Raises as `approve_and_do`."""
    _may_decide(by)
    with transaction.atomic():
        kind = kind_of(approval_by_id(approval_id))
        decided = decline(approval_id=approval_id, by=by, at=at, answer=answer)
        kind.declined(decided, at)
        return decided


def _may_decide(person: User) -> None:
    if not person.has_perm(MAY_DECIDE):
        raise MayNotDecide("Only people with the role of an approver decide.")
