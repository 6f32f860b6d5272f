"""What opening an account or a wallet asks."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.forms import CharField, EmailField, Form
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget


def _known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("Give an IANA time zone such as Europe/Berlin.")


class AccountForm(Form):
    """A new customer."""

    account = CharField(
        label="Key",
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text="Your own name for it; letters, digits and . _ : @ / + -",
    )
    name = CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    email = EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    currency = CharField(max_length=16, initial="USD", widget=UnfoldAdminTextInputWidget, help_text="Of its first wallet.")
    time_zone = CharField(
        max_length=64, initial="UTC", widget=UnfoldAdminTextInputWidget, validators=[_known_zone],
        help_text="Periods of this account end at midnight there.",
    )  # fmt: skip
    country = CharField(max_length=2, required=False, widget=UnfoldAdminTextInputWidget, help_text="Two letters, such as DE.")

    def clean_currency(self) -> str:
        """Codes are in capitals."""
        return _upper(self.cleaned_data, "currency")

    def clean_country(self) -> str:
        """Codes are in capitals."""
        return _upper(self.cleaned_data, "country")


class WalletForm(Form):
    """A further wallet."""

    currency = CharField(
        max_length=16,
        widget=UnfoldAdminTextInputWidget,
        help_text="A currency such as EUR, or a credit unit of your own.",
    )
    name = CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)

    def clean_currency(self) -> str:
        """Codes are in capitals."""
        return _upper(self.cleaned_data, "currency")


def _upper(answers: dict[str, Any], name: str) -> str:
    return str(answers[name]).strip().upper()
