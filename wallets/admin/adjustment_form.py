"""What adjusting a balance by hand asks."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.forms import CharField, ChoiceField, DateField, DateInput, DecimalField, Form, ModelChoiceField
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from wallets.accounts.models import User
from wallets.adjustments.attach import EXPECTED
from wallets.adjustments.models import Adjustment, ReasonCode
from wallets.admin.action_page import MAX_REASON
from wallets.admin.attachment_field import AttachmentField
from wallets.money import DIGITS, QUANTUM, SCALE


class AdjustmentForm(Form):
    """Which way, how much, why, and what proves it. Units: the wallet's currency."""

    kind = ChoiceField(
        choices=Adjustment.Kind.choices, label="What", widget=UnfoldAdminSelectWidget,
        help_text="Goodwill is given and costs promotion; a correction moves credit that was booked wrongly; a write-off gives "
        "up what the customer owes, as bad debt.",
    )  # fmt: skip
    amount = DecimalField(
        max_digits=DIGITS, decimal_places=SCALE, min_value=QUANTUM, widget=UnfoldAdminDecimalFieldWidget,
        error_messages={"min_value": "Give an amount above zero."},
    )  # fmt: skip
    reason = ModelChoiceField(
        queryset=ReasonCode.objects.none(), to_field_name="code", widget=UnfoldAdminSelectWidget, empty_label="Choose one",
    )  # fmt: skip
    valid_through = DateField(
        required=False, widget=DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
        help_text="Of goodwill: last day on which it can be used, in the account's time zone. Empty: it does not expire.",
    )  # fmt: skip
    note = CharField(
        max_length=MAX_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What happened, so that the approver and the auditor need not ask.",
    )  # fmt: skip
    attachment = AttachmentField(required=False, help_text=f"What proves it: {EXPECTED}. It can be downloaded, never changed.")

    by: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].queryset = ReasonCode.objects.filter(is_active=True).order_by("title")  # type: ignore[attr-defined]
        self.fields["attachment"].by = self.by  # type: ignore[attr-defined]

    def clean_attachment(self) -> Any:
        """From now on the form carries the id of the file."""
        kept = self.cleaned_data["attachment"]
        self.data = {**self.data.dict(), self.add_prefix("attachment"): kept.public_id if kept else ""}  # type: ignore[attr-defined]
        return kept

    def clean(self) -> dict[str, Any]:
        """Only goodwill ends; and the day after its last one must be a date too."""
        answers = super().clean() or {}
        through = answers.get("valid_through")
        if through and answers.get("kind") != Adjustment.Kind.GOODWILL:
            self.add_error("valid_through", "Only goodwill credit ends.")
        if isinstance(through, date) and through.year > 9000:  # noqa: PLR2004 - keeps the next midnight representable
            self.add_error("valid_through", "Choose a date before the year 9000.")
        return answers


def adjustment_form(by: User) -> type[AdjustmentForm]:
    """The form for this person, whose files it keeps."""
    return type("AdjustmentForm", (AdjustmentForm,), {"by": by})
