"""Approvals, through the verbs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.factories.balances import AT
from wallets.accounts.models import Account, User
from wallets.approvals.decide import request_approval
from wallets.approvals.models import Approval


def asked(*, by: User, account: Account | None = None, amount: str = "500", at: datetime = AT, **terms: Any) -> Approval:
    """Something that waits for a second person."""
    terms = {"kind": "favour", "subject": "thing_1", "currency": "USD", "reason": "Complaint"} | terms
    return request_approval(asked_by=by, account_id=account.pk if account else None, amount=Decimal(amount), at=at, **terms)
