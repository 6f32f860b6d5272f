"""What refunding asks."""

from __future__ import annotations

from django.forms import BooleanField, CharField, ChoiceField, DecimalField, Form
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from wallets.admin.action_page import MAX_REASON
from wallets.amount_text import headline_text
from wallets.money import DIGITS, SCALE, plain
from wallets.refunds.standing import Refundable

REASONS = [
    ("requested_by_customer", "The customer asked for it"),
    ("duplicate", "Paid twice"),
    ("fraudulent", "Not the customer's own payment"),
    ("goodwill", "Goodwill"),
    ("service", "The service fell short"),
]


class RefundForm(Form):
    """How much, why. Units: the wallet's currency."""

    amount = DecimalField(max_digits=DIGITS, decimal_places=SCALE, label="Credit", widget=UnfoldAdminDecimalFieldWidget)
    reason = ChoiceField(choices=REASONS, widget=UnfoldAdminSelectWidget)
    note = CharField(
        max_length=MAX_REASON, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What happened, so that the approver and the auditor need not ask.",
    )  # fmt: skip
    overrides = BooleanField(
        required=False, label="Used credit too", widget=UnfoldBooleanWidget,
        help_text="What was used goes back as money too, and the customer owes it; another person has to approve that.",
    )  # fmt: skip


class SentForm(Form):
    """How the money went."""

    reference = CharField(max_length=150, widget=UnfoldAdminTextInputWidget, help_text="The bank's reference of the transfer.")


def refund_form(can: Refundable, currency: str) -> type[RefundForm]:
    """The form for a top-up of which so much can go back."""
    unused, most = headline_text(can.unused, currency), headline_text(can.at_most, currency)
    text = f"Unused are {unused}; with approval up to {most}. Its share of the tax goes back beside."
    amount = DecimalField(
        max_digits=DIGITS, decimal_places=SCALE, label="Credit", widget=UnfoldAdminDecimalFieldWidget, help_text=text,
        initial=plain(can.unused),
    )  # fmt: skip
    return type("RefundForm", (RefundForm,), {"amount": amount})
