"""What granting credit by hand asks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.forms import ChoiceField, DateField, DateInput, DecimalField, IntegerField
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from wallets.admin.action_page import ReasonForm
from wallets.credit.models import CreditLot
from wallets.money import DIGITS, QUANTUM, SCALE


class GrantForm(ReasonForm):
    """Amount and terms of a lot. Units: the wallet's currency."""

    field_order = ["amount", "kind", "price_paid", "valid_through", "priority", "reason"]

    amount = DecimalField(
        max_digits=DIGITS,
        decimal_places=SCALE,
        min_value=QUANTUM,
        error_messages={"min_value": "Give an amount above zero."},
        widget=UnfoldAdminDecimalFieldWidget,
    )
    kind = ChoiceField(
        choices=CreditLot.Kind.choices, initial=CreditLot.Kind.PROMOTIONAL, widget=UnfoldAdminSelectWidget,
        help_text="Paid credit is a liability until it is used; the other kinds are given, not sold.",
    )  # fmt: skip
    price_paid = DecimalField(
        max_digits=DIGITS, decimal_places=SCALE, min_value=Decimal(0), required=False,
        widget=UnfoldAdminDecimalFieldWidget, help_text="For paid credit: the money received. Empty: the same as the amount.",
    )  # fmt: skip
    valid_through = DateField(
        required=False,
        widget=DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
        help_text="Last day on which it can be used, in the account's time zone. Empty: it does not expire.",
    )
    priority = IntegerField(
        min_value=0, max_value=1000, initial=50, widget=UnfoldAdminIntegerFieldWidget, help_text="Lower is drawn first."
    )

    def clean(self) -> dict[str, Any]:
        """The day after the last one must be a date too."""
        answers = super().clean() or {}
        through = answers.get("valid_through")
        if isinstance(through, date) and through.year > 9000:  # noqa: PLR2004 - keeps the next midnight representable
            self.add_error("valid_through", "Choose a date before the year 9000.")
        return answers
