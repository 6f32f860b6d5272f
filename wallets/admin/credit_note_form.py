"""What crediting lines of a statement asks."""

from __future__ import annotations

from typing import Any

from django.forms import CharField, CheckboxSelectMultiple, Form, ModelChoiceField, TypedMultipleChoiceField
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from wallets.adjustments.models import ReasonCode
from wallets.admin.action_page import MAX_REASON


class CreditNoteForm(Form):
    """Which lines, which of their events, why."""

    lines = TypedMultipleChoiceField(
        coerce=int, widget=CheckboxSelectMultiple, help_text="What they charged goes back to the lots it came from."
    )
    events = CharField(
        required=False, label="Only these events", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Ids as they were sent, one a line. Empty: all that the lines add up.",
    )  # fmt: skip
    reason = ModelChoiceField(
        queryset=ReasonCode.objects.none(), to_field_name="code", widget=UnfoldAdminSelectWidget, empty_label="Choose one",
    )  # fmt: skip
    note = CharField(
        max_length=MAX_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What happened, so that the approver and the auditor need not ask. The customer reads the reason, not this.",
    )  # fmt: skip

    choices: tuple[tuple[int, str], ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].queryset = ReasonCode.objects.filter(is_active=True).order_by("title")  # type: ignore[attr-defined]
        self.fields["lines"].choices = self.choices  # type: ignore[attr-defined]

    def clean_events(self) -> str:
        """Trimmed, one a line."""
        return "\n".join(dict.fromkeys(line.strip() for line in self.cleaned_data["events"].splitlines() if line.strip()))


def credit_note_form(choices: tuple[tuple[int, str], ...]) -> type[CreditNoteForm]:
    """The form for these lines: (position, what it says)."""
    return type("CreditNoteForm", (CreditNoteForm,), {"choices": choices})
