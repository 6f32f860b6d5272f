"""Who a customer is on statements and receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.forms import CharField
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from wallets.accounts.billing_details import BillingChanges, change_billing_details, shown_details
from wallets.accounts.models import Account
from wallets.admin.action_page import ActionPage, Change, ReasonForm
from wallets.clock import now

LABELS = {
    "legal_name": "Legal name", "address": "Address", "country": "Country", "tax_id": "Tax id", "po_number": "PO number",
    "invoice_emails": "Invoice e-mails",
}  # fmt: skip


class BillingForm(ReasonForm):
    """The details."""

    legal_name = CharField(max_length=200, required=False, widget=UnfoldAdminTextInputWidget, help_text="Empty: its name.")
    address = CharField(max_length=500, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}))
    country = CharField(max_length=2, required=False, widget=UnfoldAdminTextInputWidget, help_text="Two letters, such as DE.")
    tax_id = CharField(max_length=40, required=False, widget=UnfoldAdminTextInputWidget, help_text="Checked by the country.")
    po_number = CharField(max_length=60, required=False, widget=UnfoldAdminTextInputWidget)
    invoice_emails = CharField(
        max_length=2_000, required=False, widget=UnfoldAdminTextInputWidget, help_text="With commas between."
    )
    field_order = tuple(LABELS)


def billing_page(account: Account, *, back: str, tell: Callable[[str], object]) -> ActionPage:
    """The page. tell: writes a line into Django's own log."""
    shown = _as_text(shown_details(account))

    def perform(answers: dict[str, Any]) -> str:
        changes = BillingChanges(**{name: answers[name] for name in LABELS} | {"invoice_emails": _emails(answers)})
        change_billing_details(account=account, changes=changes, at=now())
        tell(f"Billing details: {answers['reason']}")
        return "Statements and receipts from now on say this."

    def preview(answers: dict[str, Any]) -> Sequence[Change]:
        said = _as_text(answers | {"invoice_emails": _emails(answers)})
        return [Change(label, shown[name], said[name]) for name, label in LABELS.items() if shown[name] != said[name]]

    return ActionPage(
        "Billing details", "Change billing details", BillingForm, back, perform, preview,
        warning="What was issued stays as it is.", initial=shown,
    )  # fmt: skip


def _emails(answers: dict[str, Any]) -> list[str]:
    return [email.strip() for email in answers["invoice_emails"].split(",") if email.strip()]


def _as_text(details: dict[str, Any]) -> dict[str, str]:
    return {name: ", ".join(details[name]) if name == "invoice_emails" else str(details[name]) for name in LABELS}
