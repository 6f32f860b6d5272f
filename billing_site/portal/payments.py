"""Payments: every top-up of an account, what became of it, and its receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from wallets.payments.models import TopUp
from wallets.payments.states import IN_FLIGHT, PAID

PER_PAGE: Final = 50
WORDS: Final = {
    "CREATED": "on its way",
    "REQUIRES_ACTION": "waiting for you",
    "PROCESSING": "on its way",
    "SUCCEEDED": "paid",
    "FAILED": "not paid",
    "EXPIRED": "not paid",
    "REFUNDED": "refunded",
    "DISPUTED": "disputed",
}
"""State -> as customers read it."""
WHY: Final = {"recharge": "auto-recharge", "schedule": "scheduled", "fee": "plan fee", "finance": "entered by us"}
"""Origin -> as customers read it; the rest they asked for themselves."""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A top-up in the list. tone: of its chip."""

    public_id: str
    made_at: datetime
    total: Decimal
    amount: Decimal
    currency: str
    paid_with: str
    why: str
    state: str
    tone: str
    number: str
    failure: str


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """Everything on the page, as values. older: where the next page begins; empty on the last."""

    account_key: str
    account_name: str
    payments: list[PaymentRow]
    older: str
    is_first: bool
    can_pay: bool


@require_safe
@customer_page
def payments(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The payments of one of their accounts, newest first; `?before=top_…` goes on."""
    owner = customer.account(account)
    rows = TopUp.objects.select_related("method", "receipt").filter(wallet__account=owner)
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=customer.top_up(before).pk)
    found = list(rows.order_by("-id")[: PER_PAGE + 1])
    page = PaymentsPage(
        account_key=owner.key,
        account_name=owner.name,
        payments=[_row(one) for one in found[:PER_PAGE]],
        older=found[PER_PAGE - 1].public_id if len(found) > PER_PAGE else "",
        is_first=not before,
        can_pay=customer.may("pay", owner),
    )
    return render(request, "portal/payments.html", {"page": page})


def _row(top_up: TopUp) -> PaymentRow:
    receipt = getattr(top_up, "receipt", None)
    paid, in_flight = top_up.state in PAID, top_up.state in IN_FLIGHT
    return PaymentRow(
        public_id=top_up.public_id,
        made_at=top_up.created_at,
        total=top_up.total,
        amount=top_up.amount,
        currency=top_up.currency,
        paid_with=receipt.paid_with if receipt else top_up.method.label if top_up.method else top_up.get_means_display(),
        why=WHY.get(top_up.origin, ""),
        state=WORDS[top_up.state],
        tone="good" if top_up.state == "SUCCEEDED" else "" if paid else "soon" if in_flight else "bad",
        number=receipt.public_number if receipt else "",
        failure=top_up.failure,
    )
