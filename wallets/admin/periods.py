"""What approving the opening of a closed month does. The pages on months: `billing_site/backoffice/periods.py`."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from wallets.admin.action_page import Change
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.approvals.models import Approval
from wallets.periods.reopen import KIND, closing_by_id, reopen_approved


def _approved(approval: Approval, at: datetime) -> str:
    return f"Approved: {reopen_approved(approval=approval, at=at)} is open again."


def _changes(approval: Approval) -> list[Change]:
    return [Change(str(closing_by_id(approval.subject)), "closed", "open")]


def _page(approval: Approval) -> str | None:
    month = closing_by_id(approval.subject).starts_at
    return reverse("admin:period", args=[month.year, month.month])


KINDS[KIND] = ApprovalKind("Opening a period again", _approved, lambda *_: None, _changes, _page)
