"""What waits for a person in this app, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, QuerySet, Value

from wallets.approvals.models import Approval
from wallets.payments.bank_models import BankLine
from wallets.payments.event_models import PaymentException
from wallets.risk.models import ReviewItem


def waiting_approvals() -> QuerySet[Any]:
    """What waits for a second person."""
    return Approval.objects.filter(state=Approval.State.WAITING)


def open_reviews() -> QuerySet[Any]:
    """What a rule found and nobody has decided."""
    return ReviewItem.objects.filter(state=ReviewItem.State.OPEN)


def open_differences() -> QuerySet[Any]:
    """What differs between the provider and the books."""
    return PaymentException.objects.filter(closed_at__isnull=True)


def unmatched_wires() -> QuerySet[Any]:
    """Payments on our bank account that are nobody's credit yet."""
    return BankLine.objects.filter(state=BankLine.State.UNMATCHED)


def count_rows(lists: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each list has, by its name. One query for all of them."""
    counted = [
        rows.order_by()
        .annotate(worklist=Value(name))
        .values("worklist")
        .annotate(rows=Count("pk"))
        .values_list("worklist", "rows")
        for name, rows in lists.items()
    ]
    if not counted:
        return {}
    found = dict(counted[0].union(*counted[1:], all=True) if len(counted) > 1 else counted[0])
    return {name: found.get(name, 0) for name in lists}
