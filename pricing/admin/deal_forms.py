"""What pinning an account to a version, negotiating its prices, a commitment, a credit product and a unit's rate ask."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.forms import CharField, ChoiceField, DateTimeField, DateTimeInput, Form, IntegerField, ModelMultipleChoiceField
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from pricing.admin.plan_forms import amount_field, text_field
from pricing.books.price_terms import PriceTerms
from pricing.books.queries import version_by_id
from pricing.commitments.models import Commitment
from pricing.credit_products.define import ProductTerms
from pricing.meters.models import Meter
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ReasonForm
from wallets.errors import NotFound
from wallets.money import QUANTUM, ZERO


def moment_field(**options: Any) -> DateTimeField:
    """A moment, in the person's time zone."""
    widget = DateTimeInput(attrs={"type": "datetime-local", "step": "1", "class": " ".join(INPUT_CLASSES)})
    return DateTimeField(widget=widget, **options)


def meters_field(**options: Any) -> ModelMultipleChoiceField[Meter]:
    """Some of the meters there are."""
    meters = Meter.objects.filter(archived_at__isnull=True).order_by("code")
    return ModelMultipleChoiceField(meters, widget=UnfoldAdminCheckboxSelectMultipleWidget, to_field_name="code", **options)


class OfAccountForm(ReasonForm):
    """About one account."""

    account = text_field(label="Account key", max_length=120)

    def clean_account(self) -> str:
        """The key of an account there is."""
        key = str(self.cleaned_data["account"]).strip()
        try:
            return account_by_key(key=key).key
        except NotFound as missing:
            self.add_error("account", missing.message)
            return key


class PinForm(OfAccountForm):
    """Which version, for how long."""

    field_order = ["account", "version", "effective_at", "until", "reason"]

    version = text_field(help_text="Id of a published version: prv_…", max_length=40)
    effective_at = moment_field(required=False, label="From", help_text="In your time zone. Empty: now.")
    until = moment_field(label="Until", help_text="From then on the account pays its book's prices again.")

    def clean_version(self) -> str:
        """The id of a version there is."""
        public_id = str(self.cleaned_data["version"]).strip()
        try:
            version_by_id(public_id=public_id)
        except NotFound as missing:
            self.add_error("version", missing.message)
        return public_id


class NegotiateForm(OfAccountForm):
    """How much off the list."""

    field_order = ["account", "percent_off", "meter", "unit_price", "effective_at", "until", "reason"]

    percent_off = amount_field(initial=ZERO, max_value=Decimal(100), label="Percent off the list")
    meter = text_field(
        required=False, label="Meter with a price of its own", help_text="Its code. More than one is agreed over the API."
    )
    unit_price = amount_field(required=False, label="Its price each")
    effective_at = moment_field(required=False, label="From", help_text="In your time zone. Empty: now.")
    until = moment_field(required=False, help_text="When the account is back to list prices. Empty: never.")

    def clean(self) -> dict[str, Any]:
        """A meter and its price go together."""
        answers = super().clean() or {}
        if bool(answers.get("meter")) != (answers.get("unit_price") is not None):
            self.add_error("unit_price", "Give the meter and its price, or neither.")
        return answers


def prices_of(answers: dict[str, Any]) -> list[PriceTerms]:
    """The price of its own, if one was agreed."""
    return [PriceTerms(meter=answers["meter"], unit_price=answers["unit_price"])] if answers.get("meter") else []


class CommitmentForm(OfAccountForm):
    """How much, how often, for how long, with which discount."""

    field_order = ["account", "name", "amount", "interval", "periods", "discount_percent", "meters", "starts_at", "reason"]

    name = text_field(help_text="As the customer reads it.")
    amount = amount_field(min_value=QUANTUM, help_text="Paid every interval, used or not, in the account's currency.")
    interval = ChoiceField(choices=Commitment.Interval.choices, initial="month", widget=UnfoldAdminSelectWidget)
    periods = IntegerField(min_value=1, initial=12, label="Intervals", widget=UnfoldAdminIntegerFieldWidget)
    discount_percent = amount_field(initial=ZERO, max_value=Decimal(100), label="Percent off the list")
    meters = meters_field(help_text="What it covers.")
    starts_at = moment_field(
        required=False, label="From", help_text="In your time zone. Empty: now, and it is charged at once."
    )


class ProductForm(Form):
    """What is sold for how much: a fixed amount, or any within limits."""

    code = text_field(max_length=60, help_text="a-z, 0-9 and . _ -. It cannot be changed later.")
    name = text_field()
    currency = CharField(max_length=16, label="Credit in", initial="USD")
    price_currency = CharField(max_length=16, required=False, label="Paid in", help_text="Empty: the same.")
    amount = amount_field(required=False, help_text="Of a fixed product: the credit.")
    price = amount_field(required=False, help_text="Of a fixed product: what it costs.")
    bonus = amount_field(required=False, help_text="Of a fixed product: promotional credit beside.")
    least = amount_field(required=False, help_text="Of an open product: the buyer pays from …")
    most = amount_field(required=False, help_text="… to.")
    validity_days = IntegerField(
        min_value=1, required=False, label="Days valid", widget=UnfoldAdminIntegerFieldWidget, help_text="Empty: without end."
    )
    meters = meters_field(required=False, help_text="None: all.")

    def clean(self) -> dict[str, Any]:
        """Currencies are written in capitals."""
        answers = super().clean() or {}
        return answers | {name: str(answers.get(name, "")).upper() for name in ("currency", "price_currency")}


def product_terms(answers: dict[str, Any]) -> ProductTerms:
    """What the form says, as terms; slabs are set over the API."""
    kept = {name: answers[name] for name in ("name", "currency", "amount", "price", "least", "most", "validity_days")}
    codes = [meter.code for meter in answers["meters"]]
    return ProductTerms(**kept, price_currency=answers["price_currency"] or None, bonus=answers["bonus"] or ZERO, meters=codes)


class RateForm(Form):
    """How much of a credit unit money buys."""

    unit = CharField(max_length=16, help_text="Name of the credit unit: CREDITS")
    currency = CharField(max_length=16, initial="USD")
    units = amount_field(min_value=QUANTUM, label="Units for 1 of the currency")
    effective_at = moment_field(required=False, label="From", help_text="In your time zone. Empty: now.")
