"""What defining a plan, subscribing somebody and issuing vouchers ask."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.forms import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateInput,
    DecimalField,
    Field,
    Form,
    IntegerField,
    ModelChoiceField,
)
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from pricing.books.models import PriceBook
from pricing.credit_products.models import VoucherBatch
from pricing.meters.models import Meter
from pricing.plans.define import AllowanceTerms, PlanTerms
from pricing.plans.models import Plan, PlanAllowance
from wallets.admin.action_page import ReasonForm
from wallets.money import DIGITS, QUANTUM, SCALE, ZERO

# Rows for allowances in the form; a plan with more is defined over the API.
ALLOWANCE_ROWS: Final = 3
ROW_FIELDS: Final = ("meter", "quantity", "roll_over", "roll_over_cap", "roll_over_periods", "on_exhaustion")


def amount_field(**options: Any) -> DecimalField:
    """An exact amount, not negative unless options say otherwise."""
    return DecimalField(
        max_digits=DIGITS,
        decimal_places=SCALE,
        widget=UnfoldAdminDecimalFieldWidget,
        **{"min_value": ZERO, **options},
    )


def number_field(**options: Any) -> IntegerField:
    """A whole number."""
    return IntegerField(widget=UnfoldAdminIntegerFieldWidget, **{"min_value": 0, **options})


def text_field(**options: Any) -> CharField:
    """A line of text."""
    return CharField(widget=UnfoldAdminTextInputWidget, **{"max_length": 200, **options})


def allowance_fields(row: int) -> dict[str, Field]:
    """The fields of one allowance."""
    label = f"Allowance {row}"
    meters = Meter.objects.filter(archived_at__isnull=True).order_by("code")
    return {
        f"meter_{row}": ModelChoiceField(
            meters, required=False, label=f"{label}: meter", widget=UnfoldAdminSelectWidget, empty_label="None"
        ),
        f"quantity_{row}": amount_field(required=False, label=f"{label}: units each period"),
        f"roll_over_{row}": ChoiceField(
            choices=PlanAllowance.RollOver.choices, initial="none", required=False, label=f"{label}: what is left rolls over",
            widget=UnfoldAdminSelectWidget,
        ),
        f"roll_over_cap_{row}": amount_field(required=False, label=f"{label}: at most so many units", help_text="With capped."),
        f"roll_over_periods_{row}": number_field(required=False, label=f"{label}: for at most so many periods"),
        f"on_exhaustion_{row}": ChoiceField(
            choices=PlanAllowance.OnExhaustion.choices, initial="overage", required=False, label=f"{label}: when used up",
            widget=UnfoldAdminSelectWidget, help_text="Block: the gate refuses. Overage: the plan's price.",
        ),
    }  # fmt: skip


class PlanForm(ReasonForm):
    """The terms of a plan."""

    code = text_field(max_length=60, help_text="Your name for it: a-z, 0-9 and . _ -. Its versions share it.")
    name = text_field()
    currency = text_field(max_length=16, initial="USD")
    fee = amount_field(help_text="Per interval, taken from the wallet.")
    interval = ChoiceField(choices=Plan.Interval.choices, initial="month", widget=UnfoldAdminSelectWidget)
    price_book = ModelChoiceField(
        PriceBook.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget, empty_label="The account's own",
        help_text="For usage and overage.",
    )  # fmt: skip
    trial_days = number_field(initial=0)
    trial_credit = amount_field(initial=Decimal(0), help_text="To try things with, until the trial ends.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(1, ALLOWANCE_ROWS + 1):
            self.fields.update(allowance_fields(row))
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])


class NextVersionForm(PlanForm):
    """The terms of a plan's next version; its code and currency stay."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["code"], self.fields["currency"]


def terms_asked(answers: dict[str, Any], *, currency: str | None = None) -> PlanTerms:
    """The terms of a form's answers."""
    allowances = []
    for row in range(1, ALLOWANCE_ROWS + 1):
        given = {name: answers[f"{name}_{row}"] for name in ROW_FIELDS}
        if given["meter"] is not None:
            given |= {"meter": given["meter"].code, "quantity": given["quantity"] or ZERO}
            allowances.append(AllowanceTerms(**given))
    return PlanTerms(
        name=answers["name"],
        currency=currency or answers["currency"],
        fee=answers["fee"],
        interval=answers["interval"],
        allowances=allowances,
        price_book=answers["price_book"],
        trial_days=answers["trial_days"],
        trial_credit=answers["trial_credit"],
    )


def answers_of(plan: Plan) -> dict[str, Any]:
    """A plan as the form would have it."""
    answers: dict[str, Any] = {
        name: getattr(plan, name) for name in ("name", "fee", "interval", "price_book", "trial_days", "trial_credit")
    }
    for row, allowance in enumerate(plan.allowances.order_by("id")[:ALLOWANCE_ROWS], 1):
        answers |= {f"{name}_{row}": getattr(allowance, name) for name in ROW_FIELDS}
    return answers


class SubscribeForm(Form):
    """Whom to subscribe."""

    account = text_field(max_length=120, label="Account key")


class ChangePlanForm(ReasonForm):
    """Which plan, and when."""

    field_order = ["plan", "when", "reason"]

    plan = ModelChoiceField(Plan.objects.filter(closed_at__isnull=True).order_by("name"), widget=UnfoldAdminSelectWidget)
    when = ChoiceField(
        choices=[("", "Upgrades now, the rest at the end of the period"), ("now", "Now"), ("period_end", "End of the period")],
        required=False, widget=UnfoldAdminSelectWidget,
    )  # fmt: skip


class CancelForm(ReasonForm):
    """When it ends."""

    field_order = ["now", "refund", "reason"]

    now = BooleanField(
        required=False, widget=UnfoldBooleanWidget, label="End it now", help_text="Else at the end of the period."
    )
    refund = BooleanField(
        required=False, initial=True, widget=UnfoldBooleanWidget, label="Give the unused part of the fee back",
        help_text="When it ends now.",
    )  # fmt: skip


class VoucherForm(ReasonForm):
    """Vouchers to be issued."""

    field_order = [
        "name", "currency", "amount", "kind", "count", "code", "uses", "per_account", "validity_days",
        "redeem_through", "reason",
    ]  # fmt: skip

    name = text_field(help_text="Of the campaign.")
    currency = text_field(max_length=16, initial="USD")
    amount = amount_field(min_value=QUANTUM, help_text="Of credit, for each redemption.")
    kind = ChoiceField(choices=VoucherBatch.Kind.choices, initial="promotional", widget=UnfoldAdminSelectWidget)
    count = number_field(min_value=1, max_value=10_000, initial=1, label="Number of codes")
    code = text_field(max_length=40, required=False, label="Chosen code", help_text="WELCOME10. Empty: we make them.")
    uses = number_field(min_value=1, initial=1, label="Uses of each code")
    per_account = number_field(min_value=1, initial=1, label="Redemptions of one account")
    validity_days = number_field(min_value=1, required=False, help_text="Of the credit. Empty: it does not expire.")
    redeem_through = DateField(
        required=False,
        widget=DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
        help_text="Last day on which it can be redeemed, in UTC. Empty: without end.",
    )
