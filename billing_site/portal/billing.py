"""Billing details: who the account is on statements and receipts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from billing_site.sign_in.where import address_of
from wallets.accounts.billing_details import BillingChanges, change_billing_details, shown_details
from wallets.accounts.models import Account
from wallets.accounts.parties import buyer_text
from wallets.accounts.tax_ids import tax_id_expected
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import Refusal

TEXTS: Final = ("legal_name", "address", "country", "tax_id", "po_number")


@dataclass(frozen=True, slots=True)
class BillingPage:
    """The page. said: what stands in the form. wrong: what is expected instead, by field. preview: as documents will say it."""

    account_key: str
    account_name: str
    may_change: bool
    said: dict[str, Any]
    expected_tax_id: str
    preview: list[str]
    problem: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    saved: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def billing(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Show the details; POST changes them."""
    owned = customer.account(account)
    if request.method != "POST":
        page = read_billing_page(customer, owned, saved="saved" in request.GET)
        return render(request, "portal/billing.html", {"page": page})
    owned = customer.with_right("billing_details", account)
    said: dict[str, Any] = {name: request.POST.get(name, "") for name in TEXTS}
    said["invoice_emails"] = [one for one in re.split(r"[\s,;]+", request.POST.get("invoice_emails", "")) if one]
    try:
        with transaction.atomic():
            before, at = shown_details(owned), now()
            change_billing_details(account=owned, changes=BillingChanges(**said), at=at)
            record_change(
                actor=customer.user, action="Change billing details", subject_kind="wallets.account", subject=owned.key,
                before=before, after=shown_details(owned), reason="", at=at, account=owned, address=address_of(request),
            )  # fmt: skip
    except Refusal as refusal:
        page = read_billing_page(customer, owned, said=said, problem=refusal.message, wrong=refusal.fields)
        return render(request, "portal/billing.html", {"page": page}, status=422)
    return redirect(f"{request.path}?saved")


def read_billing_page(
    customer: Customer,
    account: Account,
    *,
    said: dict[str, Any] | None = None,
    problem: str = "",
    wrong: dict[str, str] | None = None,
    saved: bool = False,
) -> BillingPage:
    """The page of an account."""
    shown = said or shown_details(account)
    return BillingPage(
        account_key=account.key,
        account_name=account.name,
        may_change=customer.may("billing_details", account),
        said=shown | {"invoice_emails": ", ".join(shown["invoice_emails"])},
        expected_tax_id=tax_id_expected(account.country) if account.country else "",
        preview=buyer_text(account).splitlines(),
        problem=problem,
        wrong=wrong or {},
        saved=saved,
    )
